// @ts-check
/** The part of the client that most visitors never need: the preference centre, stand-ins for frames, taking back. */
import { core } from "./core.js";
import { base, isPinned, nonce } from "./script.js";
import { trust } from "./trust.js";

/** @typedef {import("./types.js").More} More */

/** @type {Promise<More> | undefined} */
let loading;

/** Fetch it once. @returns {Promise<More>} */
export function load() {
  loading = loading || fetchPart("more", MORE_INTEGRITY);
  return loading;
}

/**
 * Fetch a part of the client.
 * @param {string} name
 * @param {string} integrity for pages that pinned the script
 * @returns {Promise<any>} what the part makes of the core
 */
export const fetchPart = (name, integrity) =>
  new Promise((done, failed) => {
    const element = /** @type {HTMLScriptElement & {consent: (part: (lent: import("./types.js").Core) => any) => void}} */ (
      document.createElement("script")
    );
    // The part finds this on its own element: the page gets no name for it.
    element.consent = (part) => done(part(core()));
    element.onerror = () => {
      loading = undefined;
      failed();
    };
    element.nonce = nonce;
    if (!IS_BUNDLE && isPinned) {
      element.crossOrigin = "";
      element.integrity = integrity;
    }
    element.src = trust().createScriptURL(`${base}/consent${!IS_BUNDLE && isPinned ? ".v1" : ""}.${name}.js`);
    document.head.append(element);
  });
