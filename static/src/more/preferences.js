// @ts-check
/** The second layer: a switch for each purpose, what it keeps and for how long, and the same two equal buttons. */
import { make } from "../make.js";
import { each } from "../state.js";
import { addStyle } from "../styles.js";
import { get } from "../transport.js";
import dialog from "../layouts/dialog.css";
import style from "./more.css";

/**
 * @typedef {import("../types.js").Core} Core
 * @typedef {import("../types.js").Purpose} Purpose
 * @typedef {import("../types.js").Cookie} Cookie
 * @typedef {import("../types.js").Purposes} Purposes
 */

/** @param {Cookie} cookie */
const cookieLine = ({ name, life, description }) =>
  make("li", {}, make("code", {}, name), ` · ${life}`, description && ` · ${description}`);

/** @param {Core} core @param {Purpose} purpose @param {boolean} isAsked */
function particulars(core, { id, collected = [], recipients = [], kept, cookies = [] }, isAsked) {
  const { texts } = core.config_();
  const list = (/** @type {string} */ title, /** @type {HTMLElement[]} */ lines) =>
    lines.length ? [make("p", { class: "head" }, title), make("ul", {}, ...lines)] : [];
  const lines = [
    ...list(texts.data, collected.map((group) => make("li", {}, group))),
    ...list(texts.recipients, recipients.map((name) => make("li", {}, name))),
    isAsked && kept ? make("p", {}, kept) : null,
    ...list(texts.details, cookies.map(cookieLine)),
  ].filter(Boolean);
  if (!lines.length) return null;
  return make("details", { "aria-labelledby": `name-${id}` }, make("summary", {}, texts.details), ...lines);
}

/** @param {Core} core @param {Purpose} purpose @param {boolean | null} isOn null for what is never asked */
function section(core, purpose, isOn) {
  const { id, title, description } = purpose;
  const about = `about-${id}`;
  /** @type {HTMLInputElement | null} */
  let toggle = null;
  if (isOn !== null) {
    toggle = make("input", { type: "checkbox", role: "switch", "data-purpose": id, "aria-describedby": about });
    toggle.checked = isOn;
  }
  const name = make("span", { id: `name-${id}` }, title);
  const state = toggle || make("span", {}, core.config_().texts.always);
  return make(
    "div",
    { class: "purpose" },
    make("h3", {}, make(toggle ? "label" : "span", { class: "row" }, name, state)),
    make("p", { id: about }, description),
    particulars(core, purpose, isOn !== null),
  );
}

/** Make the centre. Nothing is ticked but what the visitor chose before. @param {Core} core */
function makeCentre(core) {
  const { texts, purposes, exempt = [] } = core.config_();
  const chosen = core.chosen_();
  return make(
    "dialog",
    { class: "panel centre", "aria-labelledby": "title" },
    make(
      "div",
      { class: "text" },
      core.heading_(texts.customize),
      make("p", {}, core.link_()),
      ...purposes.map((purpose) => section(core, purpose, !!chosen[purpose.id])),
      ...exempt.map((purpose) => section(core, purpose, null)),
    ),
    make("div", { class: "choices" }, ...core.choices_(), core.button_("save", "choice plain"), core.button_("back", "plain")),
  );
}

/** Read the switches. @param {HTMLElement} panel */
function switches(panel) {
  /** @type {Purposes} */
  const purposes = {};
  panel.querySelectorAll("input").forEach((toggle) => (purposes[toggle.dataset.purpose || ""] = toggle.checked));
  return purposes;
}

/** Fetch all that is said about the site, in the banner's language. @param {Core} core @returns {Promise<import("../types.js").Config>} */
export function fetchWhole(core) {
  const { site, language } = core.config_();
  return get(`/v1/sites/${site}/banner?lang=${language}`);
}

/**
 * Return what answers the buttons that the core does not know.
 * @param {Core} core
 * @returns {(action: string, event: Event) => Promise<void>}
 */
export function actor(core) {
  let isDressed = false;

  const back = () => {
    core.open_(true);
    const again = /** @type {HTMLElement | null} */ (core.root_.querySelector('[data-action="customize"]'));
    if (again) again.focus();
  };

  const customize = async () => {
    const panel = core.panel_();
    const whole = await fetchWhole(core);
    if (core.panel_() !== panel) return;
    core.renew_(whole);
    if (!isDressed) addStyle(core.root_, dialog + style);
    isDressed = true;
    const centre = makeCentre(core);
    core.place_(centre, "dialog", true);
    centre.onclose = centre.oncancel = (event) => {
      event.preventDefault();
      if (core.panel_() === centre) back();
    };
  };

  return async (action, event) => {
    if (action === "customize") return customize();
    if (action === "back") return back();
    const panel = core.panel_();
    if (!panel) return;
    const chosen = action === "save" ? switches(panel) : each(core.config_(), () => action === "accept");
    await core.choose_(chosen, event, 2);
  };
}
