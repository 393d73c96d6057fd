// @ts-check
/** Markup that waits for a grant: scripts, frames, pictures and style sheets marked with `data-consent`. */
import { trust } from "./trust.js";

/** A script runs once, when it is inserted; so the waiting one is replaced by its like. @param {HTMLScriptElement} waiting */
function run(waiting) {
  const script = document.createElement("script");
  for (const { name, value } of waiting.attributes)
    if (!/^(data-)?(type|src|consent)$/.test(name)) script.setAttribute(name, value);
  script.type = waiting.dataset.type || "";
  // Its own and no other: ours would run what somebody smuggled into the page. The property has what the attribute hides.
  script.nonce = waiting.nonce;
  // Inserted scripts are async unless told otherwise, and would run out of order.
  script.async = waiting.hasAttribute("async");
  const source = waiting.getAttribute("src") || waiting.dataset.src;
  if (source) script.src = trust().createScriptURL(source);
  else script.text = trust().createScript(waiting.text);
  waiting.replaceWith(script);
}

/**
 * Release what waits for granted purposes, each once; tells whether a frame goes on waiting.
 * @param {(purpose: string) => boolean} granted
 */
export function release(granted) {
  let isWaiting = false;
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-consent]"))) {
    const { dataset } = element;
    if (!/** @type {string} */ (dataset.consent).split(" ").every(granted)) {
      isWaiting = isWaiting || element.localName === "iframe";
      continue;
    }
    delete dataset.consent;
    try {
      if (element.localName === "script") run(/** @type {HTMLScriptElement} */ (element));
      else
        for (const name of ["srcset", "src", "href"]) {
          const value = dataset[name];
          // An address that runs code is none that waits.
          if (value && /^http/.test(new URL(value, document.baseURI).protocol)) element.setAttribute(name, value);
        }
    } catch (error) {
      console.warn("consent: kept", element, error);
    }
  }
  return isWaiting;
}
