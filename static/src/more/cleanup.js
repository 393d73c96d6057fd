// @ts-check
/** Deletion of the first-party cookies and storage keys that a withdrawn purpose declared. */

import { KEY } from "../state.js";

/** @typedef {import("../types.js").Config} Config */

/**
 * Delete what the purposes declared, except what an exempt purpose declares too: that remembers the refusal.
 * @param {Config} config
 * @param {string[]} withdrawn purpose ids
 */
export function deleteDeclared(config, withdrawn) {
  const kept = new Set([KEY]);
  for (const { cookies } of config.exempt || []) for (const { name } of cookies || []) kept.add(name);
  for (const { id, cookies } of config.purposes)
    for (const { name, kind } of withdrawn.includes(id) ? cookies || [] : [])
      if (!kept.has(name)) kind === "cookie" ? deleteCookies(name) : deleteKeys(name);
}

/** A declared name may end in a star, as the names that tools make up per property do. @param {string} declared */
const matcher = (declared) => (/** @type {string} */ name) =>
  declared.endsWith("*") ? name.startsWith(declared.slice(0, -1)) : name === declared;

/** @param {string} declared */
function deleteCookies(declared) {
  const labels = location.hostname.split(".");
  for (const pair of document.cookie.split("; ")) {
    const name = pair.split("=")[0];
    if (!name || !matcher(declared)(name)) continue;
    const gone = `${name}=;expires=Thu, 01 Jan 1970 00:00:00 GMT;path=/`;
    document.cookie = gone;
    // The script cannot see which parent domain a cookie was set for, so it tries each.
    labels.forEach((_, index) => (document.cookie = `${gone};domain=${labels.slice(index).join(".")}`));
  }
}

/** @param {string} declared */
function deleteKeys(declared) {
  try {
    Object.keys(localStorage).filter(matcher(declared)).forEach((key) => localStorage.removeItem(key));
  } catch (_) {
    // Storage is denied here, so there is nothing in it to delete.
  }
}
