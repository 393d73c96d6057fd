// @ts-check
/** Where a page demands trusted types, what this script adds is the page's own and its own, word for word, under this name. */

const as = (/** @type {string} */ text) => text;
const rules = { createScript: as, createScriptURL: as };
/** @type {typeof rules} */
let policy;

/** Give the policy `consent-service`, or its like where the browser knows none. */
export const trust = () =>
  (policy = policy || (window.trustedTypes ? window.trustedTypes.createPolicy("consent-service", rules) : rules));
