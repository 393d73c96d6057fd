// @ts-check
/** The tag this script came from. Read at once: the browser forgets it when the script has run. */

const tag = /** @type {HTMLScriptElement | null} */ (document.currentScript) || document.querySelector("script[data-site]");

/** Where the script came from, and therefore where the service is. */
export const origin = new URL((tag && /** @type {HTMLScriptElement} */ (tag).src) || location.href).origin;

/** Read an attribute of the tag. @param {string} name */
export const setting = (name) => tag && tag.getAttribute(name);
