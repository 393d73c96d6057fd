// @ts-check
/** Where the keyboard goes when the banner leaves. */
import { isVisible } from "./dom.js";

/** Return the page's own control that reopens the choice, if one can be seen. @returns {HTMLElement | undefined} */
export const pageControl = () =>
  /** @type {HTMLElement[]} */ (Array.from(document.querySelectorAll("[data-consent-open]"))).find(isVisible);

/**
 * Give the focus to the first of these that is there, else to the page's main part or heading, without scrolling.
 * @param {(HTMLElement | null | undefined)[]} candidates
 */
export function focusFirst(candidates) {
  const target = candidates.find((element) => element && element.isConnected && isVisible(element));
  if (target) return target.focus({ preventScroll: true });
  const landmark = /** @type {HTMLElement | null} */ (document.querySelector("main") || document.querySelector("h1"));
  if (!landmark) return;
  if (!landmark.hasAttribute("tabindex")) {
    landmark.setAttribute("tabindex", "-1");
    landmark.addEventListener("blur", () => landmark.removeAttribute("tabindex"), { once: true });
  }
  landmark.focus({ preventScroll: true });
}
