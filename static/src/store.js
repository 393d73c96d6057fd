// @ts-check
/** The one storage key. Where storage is denied the choice lives as long as the page. */
import { isOwnOrigin } from "./script.js";
import { asEntry, fromMirror, KEY } from "./state.js";

/** @type {{[site: string]: any} | undefined} */
let memory;

/** @returns {{[site: string]: any}} */
export function all() {
  try {
    return memory || JSON.parse(localStorage[KEY] || null) || {};
  } catch (_) {
    return {};
  }
}

/** Return what is remembered for a site. @param {string} site */
export const read = (site) => asEntry(all()[site]);

/**
 * Remember a choice under the key of its site, or forget it.
 * @param {string} site
 * @param {any} entry
 */
export function write(site, entry) {
  const sites = all();
  sites[site] = entry || undefined;
  try {
    localStorage[KEY] = JSON.stringify(sites);
  } catch (_) {
    memory = sites;
  }
}

/**
 * Return the readable mirror of the server's HttpOnly cookie, which names no person; "" where the service is foreign.
 * @param {string} site
 */
export const mirror = (site) =>
  (isOwnOrigin && (document.cookie.match(`consent-${site}-mirror=([^;]+)`) || [])[1]) || "";

/**
 * Return what the mirror remembers where the browser forgot its storage (Safari does after seven days).
 * @param {string} site
 */
export const recall = (site) => fromMirror(mirror(site));
