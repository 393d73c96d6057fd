// @ts-check
/** Style sheets, constructed: a strict content security policy sees no inline style. */
import banner from "./banner.css";
import { config } from "./choice.js";
import { nonce } from "./script.js";

/**
 * Add a sheet to the document or a shadow root; the returned function replaces its rules.
 * @param {Document | ShadowRoot} root
 * @param {string} rules
 * @returns {(rules: string) => void}
 */
export function addStyle(root, rules) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    return (next) => sheet.replaceSync(next);
  } catch (_) {
    // Browsers that cannot take an element, with the nonce of the tag.
    const style = document.createElement("style");
    style.nonce = nonce;
    style.textContent = rules;
    ("head" in root ? root.head : root).append(style);
    return (next) => (style.textContent = next);
  }
}

/** Dress a shadow root in the banner's rules and what follows from the site's theme. @param {ShadowRoot} root */
export const dress = (root) => addStyle(root, banner + config.style);
