// @ts-check
/** What one stored choice means today: what it grants, and whether it is asked again. Pure. */

const DAY = 864e5;
/** The one storage key. */
export const KEY = "consent-service";

/**
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Entry} Entry
 * @typedef {import("./types.js").Purposes} Purposes
 */

/** Return the UTC day of a time in milliseconds. @param {number} [now] */
export const dayOf = (now = Date.now()) => new Date(now).toISOString().slice(0, 10);

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
 * @typedef {object} Standing what a choice means today
 * @property {"" | "first" | "material" | "expired"} reason why the visitor is asked, "" when the choice stands
 * @property {boolean} bySignal whether the privacy signal decides: nothing was granted in spite of it
 * @property {Purposes} purposes what is granted, for each purpose of the site
 */

/**
 * Say what a choice means today.
 * @param {Entry | null} entry
 * @param {Config} config
 * @param {boolean | undefined} signal the browser's privacy signal
 * @param {number} now milliseconds
 * @returns {Standing}
 */
export function judge(entry, config, signal, now) {
  const reason = entry ? reasonToAsk(entry, config, now) : "first";
  const bySignal = !!signal && config.signals.gpc !== "ask" && !(entry && entry.g && !reason);
  // "material", the last of the reasons: what changed of one purpose leaves the choices of the others standing.
  const stands = (/** @type {number | undefined} */ since) => (!reason || reason > "g") && !(/** @type {Entry} */ (entry).v < /** @type {number} */ (since));
  return { reason, bySignal, purposes: each(config, (id, since) => !bySignal && stands(since) && chosenIn(entry, id)) };
}

/** Only the literal true is a yes. @param {Entry | null} entry @param {string} id */
export const chosenIn = (entry, id) => !!entry && entry.p[id] === true;

/** @param {Entry} entry @param {Config} config @param {number} now */
function reasonToAsk({ p, v, d, b = {} }, config, now) {
  const isGrant = idsOf(p)[0];
  const age = now - Date.parse(d);
  // The span between the server's two stamps, not the stamps: a browser whose clock is wrong must not ask on every page.
  const span = Date.parse(b.expires_at) - Date.parse(b.decided_at);
  return !(age > -2 * DAY && age < ((isGrant ? config.valid_days : config.refusal_days) || 180) * DAY && !(age >= span))
    ? "expired"
    : v < ((isGrant ? config.material_version : config.refusal_material_version) || 1)
      ? "material"
      : "";
}

/**
 * Return a value for every optional purpose, in the policy's order.
 * @param {Config} config
 * @param {(id: string, since?: number) => boolean | null} value
 */
export function each(config, value) {
  /** @type {Purposes} */
  const purposes = {};
  for (const { id, material_version } of config.purposes) purposes[id] = !!value(id, material_version);
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
