// @ts-check
/** The first layer: a heading, one sentence with the link to the policy, and two equal buttons. */
import { button, make } from "./dom.js";
import { origin } from "./script.js";
import { aroundPolicy } from "./words.js";

/** @typedef {import("./types.js").Config} Config */

/** @param {Config} config */
export const policyLink = ({ policy_url, texts }) =>
  make("a", { href: new URL(policy_url, origin).href, "data-policy": "" }, texts.policy);

/** Refuse and Accept: one class, one size, one weight, one colour. @param {Config} config */
export const equalChoices = ({ texts }) => [button("refuse", texts.refuse, "choice"), button("accept", texts.accept, "choice")];

/** The heading can take the focus by script, so that a dialog never opens on a choice. @param {string} text */
export const heading = (text) => make("h2", { id: "title", tabindex: "-1" }, text);

/**
 * Make the first layer.
 * @param {Config} config
 * @param {string} notice said above the sentence, "" for nothing
 * @param {string} layout
 * @returns {HTMLElement}
 */
export function makeBanner(config, notice, layout) {
  const { texts, purposes, controller } = config;
  const fill = { controller: controller.name, open: texts.open };
  const [before, after] = aroundPolicy(texts.body, fill);
  const isDialog = layout === "dialog";
  return make(
    isDialog ? "dialog" : "section",
    {
      class: `panel ${layout}${purposes.length < 2 ? " one" : ""}`,
      role: isDialog ? null : "region",
      "aria-labelledby": "title",
    },
    make(
      "div",
      { class: "text" },
      config.logo_url ? make("img", { src: config.logo_url, alt: "" }) : null,
      heading(texts.title),
      notice ? make("p", { class: "note" }, aroundPolicy(notice, fill).join("").trim()) : null,
      make("p", {}, before, policyLink(config), after),
    ),
    make(
      "div",
      { class: "choices" },
      ...equalChoices(config),
      purposes.length > 1 ? button("customize", texts.customize, "plain") : null,
    ),
  );
}
