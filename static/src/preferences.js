// @ts-check
/** The second layer: a switch for each purpose, what it keeps and for how long, and the same two equal buttons. */
import { button, make } from "./dom.js";
import { equalChoices, heading, policyLink } from "./panel.js";

/**
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Purpose} Purpose
 * @typedef {import("./types.js").Purposes} Purposes
 */

/** Say a number of days in the banner's language. @param {number} days @param {string} language */
function inDays(days, language) {
  try {
    const words = /** @type {any} */ ({ style: "unit", unit: "day", unitDisplay: "long" });
    return new Intl.NumberFormat(language, words).format(days);
  } catch (_) {
    return `${days} d`;
  }
}

/** @param {Purpose} purpose @param {Config} config @param {boolean | null} isOn null for what is never asked */
function section({ id, title, description, cookies = [] }, { language, texts }, isOn) {
  const toggle =
    isOn === null ? null : make("input", { type: "checkbox", role: "switch", "data-purpose": id, "aria-describedby": `about-${id}` });
  if (toggle) toggle.checked = !!isOn;
  return make(
    "div",
    { class: "purpose" },
    make(toggle ? "label" : "span", { class: "head" }, make("span", {}, title), toggle || make("span", {}, texts.always)),
    make("p", { id: `about-${id}` }, description),
    cookies.length
      ? make(
          "details",
          {},
          make("summary", {}, texts.details || "Cookies"),
          make(
            "ul",
            {},
            ...cookies.map((cookie) =>
              make(
                "li",
                {},
                make("code", {}, cookie.name),
                cookie.days ? ` · ${inDays(cookie.days, language)}` : null,
                cookie.description ? ` · ${cookie.description}` : null,
              ),
            ),
          ),
        )
      : null,
  );
}

/**
 * Make the preference centre. Nothing is ticked but what the visitor chose before.
 * @param {Config} config
 * @param {Purposes} chosen
 */
export function makePreferences(config, chosen) {
  const { texts, purposes, exempt = [] } = config;
  return make(
    "dialog",
    { class: "panel", "aria-labelledby": "title" },
    make(
      "div",
      { class: "text" },
      heading(texts.customize),
      make("p", {}, policyLink(config)),
      ...purposes.map((purpose) => section(purpose, config, chosen[purpose.id])),
      ...exempt.map((purpose) => section(purpose, config, null)),
    ),
    make("div", { class: "choices" }, ...equalChoices(config), button("save", texts.save, "choice wide")),
  );
}

/**
 * Read the switches.
 * @param {HTMLElement} panel
 * @returns {Purposes}
 */
export function switches(panel) {
  /** @type {Purposes} */
  const purposes = {};
  panel.querySelectorAll("input").forEach((toggle) => (purposes[toggle.dataset.purpose || ""] = toggle.checked));
  return purposes;
}
