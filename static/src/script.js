// @ts-check
/** The tag this script came from. Read at once: the browser forgets it when the script has run. */

// A module has no tag to be found by; what is asked of an empty one is answered as by a tag without attributes.
const tag = /** @type {HTMLScriptElement} */ (document.currentScript || document.createElement("script"));

/** Where the service is: all of the script's address before its own name, so that it may lie under a path of the site. */
export const base = tag.src.slice(0, tag.src.lastIndexOf(IS_BUNDLE ? "/c/" : "/consent"));

export const isOwnOrigin = (base + "/").startsWith(self.origin + "/");

/** The attribute is hidden from scripts and style sheets; the property has it. */
export const { nonce } = tag;

/** Whether the page pinned this script, and so must get the rest of it pinned too. */
export const isPinned = !!tag.integrity;

/** What tells the service which script ran: the bundle says it of itself, and a pin is what the browser held it to. */
export const scriptHash = () => (IS_BUNDLE ? CONSENT_CONFIG[0].script : tag.integrity);

/** Read an attribute of the tag. @param {string} name */
export const setting = (name) => tag.getAttribute(name);
