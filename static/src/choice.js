// @ts-check
/** The visitor's choice on this site as this browser knows it, and who hears of its changes. One site a page. */
import { deleteDeclared } from "./cleanup.js";
import { askReason, dayOf, each, grantsOf, hasGrant, signalDecides } from "./state.js";
import { cookieTook, read, write } from "./store.js";

/**
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Entry} Entry
 * @typedef {import("./types.js").Change} Change
 */

/** @type {Config} */
export let config;
/** @type {Entry | null} */
export let entry;
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
  changed = hear;
  signal = config.signals.gpc === "ignore" ? undefined : navigator.globalPrivacyControl === true;
  entry = read(config.site);
  told = JSON.stringify(current());
}

/** Go on with a newer policy. @param {Config} newer */
export const renew = (newer) => (config = newer);

export const refusedBySignal = () => signalDecides(entry, config, !!signal, Date.now());
export const today = () => dayOf(Date.now());
const reason = () => askReason(entry, config, Date.now());

/** What stands now. @returns {Change} */
export const current = () => ({ purposes: grantsOf(entry, config, Date.now(), refusedBySignal()), decided: !reason() });

/** Why the banner must be shown now, "" when it must not. */
export const asking = () => (refusedBySignal() || !config.purposes.length ? "" : reason());

/** The choice as last made, also when it is asked again. */
export const chosen = () => each(config, (id) => !!entry && entry.p[id] === true);

/** The purposes the last choice granted. */
export const granted = () => Object.keys(chosen()).filter((id) => chosen()[id]);

/** Return the token to keep here: none when the server's own cookie carries it. @param {string | undefined} token */
export const keepable = (token) => (token && !cookieTook(config.site) ? token : undefined);

/** @param {Entry | null} next */
export function remember(next) {
  write(config.site, (entry = next));
  tell();
}

/** End these grants here and now, whatever the network says. @param {string[]} purposes @param {Entry} next */
export function end(purposes, next) {
  deleteDeclared(config, purposes);
  remember(next);
}

/** Look at the store again: another tab may have changed it. */
export function reread() {
  const stored = read(config.site);
  if (stored && JSON.stringify(stored) !== JSON.stringify(entry)) entry = stored;
}

/** Follow what another tab did. */
export function follow() {
  const before = granted();
  entry = read(config.site);
  const now = granted();
  deleteDeclared(config, before.filter((id) => !now.includes(id)));
  tell();
}

export function receipt() {
  if (!entry || !entry.r || !hasGrant(entry)) return null;
  const { r, a = "", e = "", v, p } = entry;
  return { receipt_id: r, decided_at: a, expires_at: e, policy_version: v, purposes: { ...p } };
}

function tell() {
  const change = current();
  const words = JSON.stringify(change);
  if (words === told) return;
  told = words;
  changed(change);
}
