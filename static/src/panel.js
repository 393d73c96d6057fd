// @ts-check
/** The first layer: a heading, one sentence with the link to the policy, and two equal buttons. */
import { config } from "./choice.js";
import { button, equalChoices, heading, policyLink } from "./dom.js";
import { make } from "./make.js";

/**
 * Make the first layer.
 * @param {string} layout
 * @returns {HTMLElement}
 */
export function makeBanner(layout) {
  const { texts, purposes } = config;
  const [before, after] = texts.body.split("{policy}");
  const isOne = purposes.length < 2;
  const isDialog = HAS_DIALOG && layout === "dialog";
  return make(
    isDialog ? "dialog" : "section",
    // A section with a name is a region; saying so is for readers that forget it.
    { class: `panel ${layout}${isOne ? " one" : ""}`, role: isDialog ? "dialog" : "region", "aria-labelledby": "title" },
    make(
      "div",
      { class: "text" },
      heading(texts.title),
      make("p", {}, before, policyLink(), after),
    ),
    make("div", { class: "choices" }, ...equalChoices(), isOne ? null : button("customize", "plain")),
  );
}
