// @ts-check
/** The pieces both layers are made of. */
import { config } from "./choice.js";
import { make } from "./make.js";
import { base } from "./script.js";

/**
 * Make a button that acts.
 * @param {string} action
 * @param {string} look
 * @param {string} [label] the banner text of the action's own name, without it
 */
export const button = (action, look, label = config.texts[action]) =>
  make("button", { type: "button", class: look, "data-action": action }, label);

/** Refuse and Accept: one class, one size, one weight, one colour. */
export const equalChoices = () => ["refuse", "accept"].map((action) => button(action, "choice"));

/** The heading can take the focus by script, so that a dialog never opens on a choice. @param {string} text */
export const heading = (text) => make("h2", { id: "title", tabindex: "-1" }, text);

export const policyLink = () =>
  make("a", { href: `${base}/privacy/${config.site}?lang=${config.language}`, "data-policy": "" }, config.texts.policy);

/** Tell whether an element is there to be seen. @param {Element} element */
export const isVisible = (element) => !!element.getClientRects().length && getComputedStyle(element).visibility === "visible";
