// @ts-check
/** Splitting of a banner text at its placeholders. Pure. */

/**
 * Replace `{controller}` and `{open}`, and return the words before and after `{policy}`; a text without it ends in the link.
 * @param {string} text
 * @param {{[name: string]: string}} values
 * @returns {[string, string]}
 */
export function aroundPolicy(text, values) {
  const filled = text.replace(/\{(controller|open)\}/g, (_, name) => values[name] || "");
  const [before, ...after] = filled.split("{policy}");
  return after.length ? [before, after.join("")] : [before.trim() + " ", ""];
}
