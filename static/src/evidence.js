// @ts-check
/** What shows that a grant was a fair choice: the words on screen, both buttons, a real click. */
import { isVisible } from "./dom.js";

/** Return the words of a panel, block by block in reading order, one a line. @param {HTMLElement} panel */
export const wordsOf = (panel) =>
  [...panel.querySelectorAll("h2,h3,p,li,summary,button")].map((element) => element.textContent).join("\n");

/**
 * Describe a click on a panel.
 * @param {HTMLElement} panel
 * @param {Event} event
 */
export function evidenceOf(panel, { isTrusted }) {
  const [refuse, accept] = /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll(".choice"));
  const area = (/** @type {HTMLElement} */ element) => element.offsetWidth * element.offsetHeight;
  return { refuse_visible: isVisible(refuse), area_ratio: area(accept) / area(refuse) || 0, trusted: isTrusted };
}
