// @ts-check
/** What one stored choice means today: what it grants, and whether it is asked again. Pure. */

const DAY = 864e5;

/**
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Entry} Entry
 * @typedef {import("./types.js").Purposes} Purposes
 */

/** Return the UTC day of a time in milliseconds. @param {number} now */
export const dayOf = (now) => new Date(now).toISOString().slice(0, 10);

/** Tell whether anything was granted. @param {Entry} entry */
export const hasGrant = (entry) => Object.keys(entry.p).some((id) => entry.p[id] === true);

/**
 * Accept what was stored only when it has the shape of a choice.
 * @param {any} stored
 * @returns {Entry | null}
 */
export const asEntry = (stored) =>
  stored && typeof stored.p === "object" && stored.p && Date.parse(stored.d) >= 0 && typeof stored.v === "number" ? stored : null;

/**
 * Say why the visitor is asked: "first", "material", "expired", or "" when the choice stands.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {number} now milliseconds
 */
export function askReason(entry, config, now) {
  if (!entry) return "first";
  const grant = hasGrant(entry);
  const since = grant ? config.material_version : config.refusal_material_version;
  if (entry.v < (since || 1)) return "material";
  const age = now - Date.parse(entry.d);
  let life = (grant ? config.valid_days : config.refusal_days) * DAY;
  // The span between the server's two stamps, not the stamps: a browser whose clock is wrong must not ask on every page.
  if (entry.e && entry.a) life = Math.min(life, Date.parse(entry.e) - Date.parse(entry.a));
  return age < life && age > -2 * DAY ? "" : "expired";
}

/**
 * Return what is granted now, for each purpose of the site.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {number} now milliseconds
 * @param {boolean} signalRefuses
 * @returns {Purposes}
 */
export function grantsOf(entry, config, now, signalRefuses) {
  const stands = entry && !signalRefuses && !askReason(entry, config, now) ? entry.p : {};
  return each(config, (id) => stands[id] === true);
}

/**
 * Tell whether the privacy signal decides: it is on, the site honours it, and nothing was granted in spite of it.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {boolean} signal
 * @param {number} now
 */
export const signalDecides = (entry, config, signal, now) =>
  signal && config.signals.gpc === "refuse" && !(entry && entry.g && !askReason(entry, config, now));

/**
 * Return a value for every optional purpose, in the policy's order.
 * @param {Config} config
 * @param {(id: string) => boolean} value
 * @returns {Purposes}
 */
export function each(config, value) {
  /** @type {Purposes} */
  const purposes = {};
  for (const { id } of config.purposes) purposes[id] = value(id);
  return purposes;
}

/**
 * Make the entry of a refusal. Two browsers that refuse one policy on one day make the same bytes.
 * @param {Config} config
 * @param {number} version
 * @param {string} day
 * @param {string | undefined} token
 * @param {1 | 2} [unsent]
 * @returns {Entry}
 */
export const refusal = (config, version, day, token, unsent) => ({
  p: each(config, () => false),
  v: version,
  d: day,
  t: token,
  w: unsent,
});
