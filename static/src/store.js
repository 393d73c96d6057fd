// @ts-check
/** The one storage key. Where storage is denied the choice lives as long as the page. */
import { asEntry } from "./state.js";

/** @typedef {import("./types.js").Entry} Entry */

export const KEY = "consent-service";

/** @type {{[site: string]: unknown} | undefined} */
let memory;

function all() {
  if (memory) return memory;
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) || "{}");
    return stored && typeof stored === "object" ? stored : {};
  } catch (_) {
    return {};
  }
}

/** Return what is remembered for a site. @param {string} site */
export const read = (site) => asEntry(all()[site]);

/**
 * Remember a choice, or forget it.
 * @param {string} site
 * @param {Entry | null} entry
 */
export function write(site, entry) {
  const sites = all();
  if (entry) sites[site] = entry;
  else delete sites[site];
  try {
    if (Object.keys(sites).length) localStorage.setItem(KEY, JSON.stringify(sites));
    else localStorage.removeItem(KEY);
  } catch (_) {
    memory = sites;
  }
}

/**
 * Tell whether the server's HttpOnly cookie took: its readable mirror lies beside it and names no person.
 * @param {string} site
 */
export function cookieTook(site) {
  try {
    return ("; " + document.cookie).includes(`; consent-${site}-mirror=`);
  } catch (_) {
    return false;
  }
}
