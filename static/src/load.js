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
  loading =
    loading ||
    new Promise((done, failed) => {
      const element = /** @type {HTMLScriptElement & {consent: (part: import("./types.js").Part) => void}} */ (
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
        element.integrity = MORE_INTEGRITY;
      }
      element.src = trust().createScriptURL(`${base}/consent${!IS_BUNDLE && isPinned ? ".v1" : ""}.more.js`);
      document.head.append(element);
    });
  return loading;
}
