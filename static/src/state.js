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

/** Return the ids of what is granted. @param {Purposes} purposes */
export const idsOf = (purposes) => Object.keys(purposes).filter((id) => purposes[id] === true);

/**
 * Accept what was stored only when it has the shape of a choice.
 * @param {any} stored
 * @returns {Entry | null}
 */
export const asEntry = (stored) => (stored && stored.p && stored.v >= 0 && Date.parse(stored.d) ? stored : null);

/**
 * Read the choice out of the server's mirror, `version.ids.day.signal`, the granted ids joined by "~".
 * @param {string} mirror
 * @returns {Entry | null}
 */
export function fromMirror(mirror) {
  const [v, ids = "", d, signal] = mirror.split(".");
  /** @type {Purposes} */
  const p = {};
  ids.split("~").forEach((id) => (p[id] = !!id));
  return asEntry({ p, v: +v, d, g: +signal || undefined });
}

/**
 * Say why the visitor is asked: "first", "material", "expired", or "" when the choice stands.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {number} now milliseconds
 */
export function askReason(entry, config, now) {
  if (!entry) return "first";
  const isGrant = idsOf(entry.p)[0];
  if (entry.v < ((isGrant ? config.material_version : config.refusal_material_version) || 1)) return "material";
  const age = now - Date.parse(entry.d);
  // The span between the server's two stamps, not the stamps: a browser whose clock is wrong must not ask on every page.
  const { expires_at, decided_at } = entry.b || {};
  const span = Date.parse(expires_at) - Date.parse(decided_at);
  return age > -2 * DAY && age < ((isGrant ? config.valid_days : config.refusal_days) || 180) * DAY && !(age >= span) ? "" : "expired";
}

/**
 * Tell whether the privacy signal decides: it is on, the site honours it, and nothing was granted in spite of it.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {boolean | undefined} signal
 * @param {number} now
 */
export const signalDecides = (entry, config, signal, now) =>
  !!signal && config.signals.gpc === "refuse" && !(entry && entry.g && !askReason(entry, config, now));

/**
 * Return what is granted now, for each purpose of the site.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {boolean | undefined} signal
 * @param {number} now milliseconds
 */
export const grantsOf = (entry, config, signal, now) =>
  each(config, (id) => !!entry && entry.p[id] === true && !askReason(entry, config, now) && !signalDecides(entry, config, signal, now));

/**
 * Return a value for every optional purpose, in the policy's order.
 * @param {Config} config
 * @param {(id: string) => boolean | null} value
 */
export function each(config, value) {
  /** @type {Purposes} */
  const purposes = {};
  for (const { id } of config.purposes) purposes[id] = !!value(id);
  return purposes;
}

/**
 * Make the entry of a refusal. Two browsers that refuse one policy on one day make the same bytes.
 * @param {Config} config
 * @param {string} d day
 * @param {string | undefined} [t] token
 * @param {1} [w] not yet acknowledged
 * @returns {Entry}
 */
export const refusal = (config, d, t, w) => ({ p: each(config, () => false), v: config.policy_version, d, t, w });
