// @ts-check
/** Style sheets, constructed: a strict content security policy sees no inline style. */
import banner from "./banner.css";
import { config } from "./choice.js";
import { make } from "./make.js";
import { nonce } from "./script.js";

/**
 * Add a sheet to the document or a shadow root.
 * @param {Document | ShadowRoot} root
 * @param {string} rules
 * @returns {CSSStyleSheet | undefined} undefined in browsers that know no constructed sheets; they take an element
 */
export function addStyle(root, rules) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    return sheet;
  } catch (_) {
    // The nonce of the tag lets it pass where only marked elements may.
    if (root !== document) root.append(make("style", { nonce }, rules));
    return undefined;
  }
}

/** Dress a shadow root in the banner's rules and what follows from the site's theme. @param {ShadowRoot} root */
export const dress = (root) => addStyle(root, banner + config.style);
