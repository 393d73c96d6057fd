// @ts-check
/** The visitor's choice on this site as this browser knows it, and who hears of its changes. One site a page. */
import { chosenIn, dayOf, each, idsOf, judge, refusal } from "./state.js";
import { mirror, read, write } from "./store.js";

/**
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Entry} Entry
 * @typedef {import("./types.js").Change} Change
 */

/** @type {Config} */
export let config;
/** @type {Entry | null} */
export let entry = null;
/** Undefined where the site does not look at the signal. @type {boolean | undefined} */
export let signal;

let told = "";
/** @type {(change: Change) => void} */
let changed;

/**
 * Take up the choice made earlier in this browser, if there is one.
 * @param {Config} first
 * @param {(change: Change) => void} hear told of every change of what is granted or decided
 */
export function takeUp(first, hear) {
  config = first;
  signal = config.signals.gpc === "ignore" ? undefined : navigator.globalPrivacyControl === true;
  follow();
  changed = hear;
}

/** Go on with a newer policy, or with more of what is said about it. @param {Config} newer */
export const renew = (newer) => (config = newer);

/** What stands now. */
export const standing = () => judge(entry, config, signal, Date.now());

/** What the page is told of it; nothing while the config is on its way. @returns {Change} */
export function current() {
  if (!IS_BUNDLE && !config) return { purposes: {}, decided: false };
  const { purposes, reason } = standing();
  return { purposes, decided: !reason };
}

/** Tell whether a purpose is granted now. @param {string} purpose */
export const isGranted = (purpose) => !!current().purposes[purpose];

/** Return a value for every optional purpose of the site. @param {(id: string) => boolean | null} value */
export const eachPurpose = (value) => each(config, value);

/** The choice as last made, also when it is asked again. */
export const chosen = () => eachPurpose((id) => chosenIn(entry, id));

/** Return the token to keep here: none when the server's own cookie carries it. @param {string | undefined} token */
export const keepable = (token) => (mirror(config.site) ? undefined : token);

/** The token that a later act continues. The one of a refusal names nobody and is never sent back. */
export const previous = () => (entry && (entry.b || entry.w) && entry.t) || undefined;

/** @param {Entry | null} next */
export function remember(next) {
  write(config.site, (entry = next));
  tell();
}

/** Remember that everything is refused, from today. @param {string | undefined} [token] @param {1} [w] not yet acknowledged */
export const refuse = (token, w) => remember(refusal(config, dayOf(), token, w));

/** Look at the store again: another tab may have changed it. */
export function follow() {
  const stored = read(config.site);
  if (JSON.stringify(stored) !== JSON.stringify(entry)) entry = stored;
  tell();
}

/** What the service answered to the grant that stands. */
export const receipt = () => (entry && entry.b && idsOf(entry.p)[0] ? { ...entry.b, purposes: { ...entry.p } } : null);

function tell() {
  const change = current();
  const words = JSON.stringify(change);
  if (words === told) return;
  told = words;
  if (changed) changed(change);
}
