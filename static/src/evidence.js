// @ts-check
/** What shows that a grant was a fair choice: the words on screen, both buttons, a real click. */
import { isVisible } from "./dom.js";

/** Return the words of a panel, block by block in reading order, one a line. @param {HTMLElement} panel */
export const wordsOf = (panel) =>
  Array.from(panel.querySelectorAll("h2,h3,p,li,summary,button"), (element) => (element.textContent || "").trim()).join("\n");

/** @param {HTMLElement | null} element */
const area = (element) => (element ? element.offsetWidth * element.offsetHeight : 0);

/**
 * Describe a click on a panel.
 * @param {HTMLElement} panel
 * @param {Event} event
 */
export function evidenceOf(panel, event) {
  const [refuse, accept] = ['refuse', 'accept'].map((action) => /** @type {HTMLElement | null} */ (panel.querySelector(`[data-action=${action}]`)));
  const ratio = area(accept) / area(refuse);
  return {
    refuse_visible: !!refuse && isVisible(refuse),
    area_ratio: isFinite(ratio) ? Math.round(ratio * 1000) / 1000 : 0,
    trusted: event.isTrusted,
  };
}
