// @ts-check
/** Requests to the service. They carry no cookie to a foreign origin: that is what `fetch` does unless told otherwise. */
import { base } from "./script.js";

/** @typedef {import("./types.js").Answer} Answer */

/**
 * Post a document. Text, so that no preflight is needed; kept alive, so that a closing page does not lose it.
 * @param {string} path
 * @param {object} document
 * @returns {Promise<Answer>}
 */
export const post = (path, document) =>
  fetch(base + path, {
    method: "POST",
    body: JSON.stringify(document),
    keepalive: true,
  })
    .then(async (response) => {
      const body = await response.json();
      const wait = +(/** @type {string} */ (response.headers.get("Retry-After")));
      return { status: response.status, body, wait };
    })
    .catch(() => ({ status: 0, body: {}, wait: 0 }));


const hex = (/** @type {ArrayBuffer | Uint8Array} */ bytes) =>
  [...new Uint8Array(bytes)].map((byte) => (byte + 256).toString(16).slice(1)).join("");

/** Make a random id of 32 hexadecimal digits, also where the page is not a secure context. */
export const uuid = () => hex(crypto.getRandomValues(new Uint8Array(16)));

/** Return the SHA-256 of a text in hexadecimal, or nothing where the page is not a secure context. @param {string} text */
export const digest = async (text) =>
  crypto.subtle && hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
