// @ts-check
/** The banner's style sheet, constructed: a strict content security policy sees no inline style. */
import base from "./banner.css";
import { buttonColors } from "./colors.js";

const DARK =
  "color-scheme:dark;--consent-surface:#1b1f24;--consent-ink:#f4f6f8;--consent-quiet:#c9d0d8;" +
  "--consent-line:#3a424c;--consent-edge:#98a2ae;";

/**
 * Dress a shadow root.
 * @param {ShadowRoot} root
 * @param {import("./types.js").Config} config
 */
export function dress(root, { theme, colors }) {
  const { light, dark } = buttonColors(colors && colors.accent);
  const night = `:host{${DARK}${dark}}`;
  const text =
    `${base}:host{${light}}` +
    (theme === "dark" ? night : theme === "light" ? "" : `@media (prefers-color-scheme:dark){${night}}`);
  const sheet = construct(text);
  if (sheet) root.adoptedStyleSheets = [sheet];
  else root.append(Object.assign(document.createElement("style"), { textContent: text }));
}

/** Make a sheet, or nothing where the browser cannot. @param {string} text */
export function construct(text) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return "adoptedStyleSheets" in document ? sheet : null;
  } catch (_) {
    return null;
  }
}
