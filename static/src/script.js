// @ts-check
/** The tag this script came from. Read at once: the browser forgets it when the script has run. */

const tag = /** @type {HTMLScriptElement | null} */ (document.currentScript || document.querySelector("script[data-site]"));

/** Where the service is: all of the script's address before its own name, so that it may lie under a path of the site. */
export const base = ((tag && tag.src) || location.href).replace(/\/(c\/[^/]+|consent[^/]*)$/, "");

export const isOwnOrigin = base.startsWith(location.origin);

/** The attribute is hidden from scripts and style sheets; the property has it. */
export const nonce = (tag && tag.nonce) || "";

/** Whether the page pinned this script, and so must get the rest of it pinned too. */
export const isPinned = !!tag && !!tag.integrity;

/** Read an attribute of the tag. @param {string} name */
export const setting = (name) => tag && tag.getAttribute(name);
