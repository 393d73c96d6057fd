// @ts-check
/** Markup that waits for a grant: scripts as text/plain and frames without a source. */

const as = (/** @type {string} */ text) => text;
const same = { createScript: as, createScriptURL: as };
/** Where a page demands trusted types, released scripts are its own, word for word, under this policy's name. */
let rules = same;

/** A script runs once, when it is inserted; so the waiting one is replaced by its like. @param {HTMLScriptElement} waiting */
function run(waiting) {
  if (rules === same && window.trustedTypes) rules = window.trustedTypes.createPolicy("consent-service", same);
  const script = document.createElement("script");
  for (const { name, value } of Array.from(waiting.attributes))
    if (!["type", "src", "data-consent", "data-type"].includes(name)) script.setAttribute(name, value);
  if (waiting.dataset.type) script.type = waiting.dataset.type;
  // The attribute is hidden from scripts and style sheets; the property has it.
  script.nonce = waiting.nonce;
  // Inserted scripts are async unless told otherwise, and would run out of order.
  script.async = waiting.hasAttribute("async");
  const source = waiting.getAttribute("src");
  if (source) script.src = rules.createScriptURL(source);
  else script.text = rules.createScript(waiting.text);
  waiting.replaceWith(script);
}

/**
 * Release what waits for a granted purpose; each is released once.
 * @param {(purpose: string) => boolean} granted
 */
export function release(granted) {
  for (const element of Array.from(document.querySelectorAll('script[type="text/plain"][data-consent],iframe[data-consent][data-src]'))) {
    if (!granted(element.getAttribute("data-consent") || "")) continue;
    try {
      if (element instanceof HTMLScriptElement) run(element);
      else {
        element.setAttribute("src", element.getAttribute("data-src") || "");
        element.removeAttribute("data-src");
      }
    } catch (error) {
      console.warn("consent: could not release", element, error);
    }
  }
}
