// @ts-check
/** Where the keyboard goes when the banner leaves. */
import { isVisible } from "./dom.js";

/** Return the page's own control that reopens the choice, if one can be seen. @returns {HTMLElement | undefined} */
export const pageControl = () =>
  [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-consent-open]"))].find(isVisible);

/**
 * Give the focus to the first of these that can be seen, else to the page's main part or heading, without scrolling.
 * @param {(HTMLElement | null | undefined)[]} candidates
 */
export function focusFirst(candidates) {
  const { body } = document;
  let target = candidates.find((element) => element && element !== body && isVisible(element));
  if (!target) {
    const landmark = /** @type {HTMLElement | null} */ (document.querySelector("main,h1"));
    if (!landmark) return;
    if (landmark.tabIndex < 0) landmark.tabIndex = -1;
    target = landmark;
  }
  target.focus({ preventScroll: true });
}
