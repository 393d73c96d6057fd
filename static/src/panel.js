// @ts-check
/** The first layer: a heading, one sentence with the link to the policy, and two equal buttons. */
import { config } from "./choice.js";
import { button, equalChoices, heading, policyLink } from "./dom.js";
import { make } from "./make.js";

/**
 * Make the first layer.
 * @param {string | undefined} notice said above the sentence
 * @param {string} layout
 * @returns {HTMLElement}
 */
export function makeBanner(notice, layout) {
  const { texts, purposes, logo_url } = config;
  const [before, after] = texts.body.split("{policy}");
  const isOne = purposes.length < 2;
  const isDialog = layout === "dialog";
  return make(
    isDialog ? "dialog" : "section",
    // A section with a name is a region; saying so is for readers that forget it.
    { class: `panel ${layout}${isOne ? " one" : ""}`, role: isDialog ? null : "region", "aria-labelledby": "title" },
    make(
      "div",
      { class: "text" },
      logo_url && make("img", { src: logo_url, alt: "" }),
      heading(texts.title),
      notice && make("p", { class: "note" }, notice),
      make("p", {}, before, policyLink(), after),
    ),
    make("div", { class: "choices" }, ...equalChoices(), isOne ? null : button("customize", "plain")),
  );
}
