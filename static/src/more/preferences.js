// @ts-check
/** The second layer: a switch for each purpose, what it keeps and for how long, and the same two equal buttons. */
import dialog from "../layouts/dialog.css";
import style from "./more.css";

/**
 * @typedef {import("../types.js").Core} Core
 * @typedef {import("../types.js").Purpose} Purpose
 * @typedef {import("../types.js").Cookie} Cookie
 * @typedef {import("../types.js").Purposes} Purposes
 */

/** @param {Core} core @param {Cookie} cookie */
const cookieLine = (core, { name, life, description }) =>
  core.make_("li", {}, core.make_("code", {}, name), ` · ${life}`, description && ` · ${description}`);

/** @param {Core} core @param {Purpose} purpose @param {boolean} isAsked */
function particulars(core, { id, collected = [], recipients = [], kept, cookies = [] }, isAsked) {
  const { texts } = core.config_();
  const list = (/** @type {string} */ title, /** @type {HTMLElement[]} */ lines) =>
    lines.length ? [core.make_("p", { class: "head" }, title), core.make_("ul", {}, ...lines)] : [];
  const lines = [
    ...list(texts.data, collected.map((group) => core.make_("li", {}, group))),
    ...list(texts.recipients, recipients.map((name) => core.make_("li", {}, name))),
    isAsked && kept ? core.make_("p", {}, kept) : null,
    ...list(texts.details, cookies.map((cookie) => cookieLine(core, cookie))),
  ].filter(Boolean);
  if (!lines.length) return null;
  return core.make_("details", { "aria-labelledby": `name-${id}` }, core.make_("summary", {}, texts.details), ...lines);
}

/** @param {Core} core @param {Purpose} purpose @param {boolean | null} isOn null for what is never asked */
function section(core, purpose, isOn) {
  const { id, title, description } = purpose;
  const about = `about-${id}`;
  /** @type {HTMLInputElement | null} */
  let toggle = null;
  if (isOn !== null) {
    toggle = core.make_("input", { type: "checkbox", role: "switch", "data-purpose": id, "aria-describedby": about });
    toggle.checked = isOn;
  }
  const name = core.make_("span", { id: `name-${id}` }, title);
  const state = toggle || core.make_("span", {}, core.config_().texts.always);
  return core.make_(
    "div",
    { class: "purpose" },
    core.make_("h3", {}, core.make_(toggle ? "label" : "span", { class: "row" }, name, state)),
    core.make_("p", { id: about }, description),
    particulars(core, purpose, isOn !== null),
  );
}

/** Make the centre. Nothing is ticked but what the visitor chose before. @param {Core} core */
function makeCentre(core) {
  const { texts, purposes, exempt = [] } = core.config_();
  const chosen = core.chosen_();
  return core.make_(
    "dialog",
    { class: "panel centre", "aria-labelledby": "title" },
    core.make_(
      "div",
      { class: "text" },
      core.heading_(texts.customize),
      core.make_("p", {}, core.link_()),
      ...purposes.map((purpose) => section(core, purpose, !!chosen[purpose.id])),
      ...exempt.map((purpose) => section(core, purpose, null)),
    ),
    core.make_("div", { class: "choices" }, ...core.choices_(), core.button_("save", "choice plain"), core.button_("back", "plain")),
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
  return core.get_(`/v1/sites/${site}/banner?lang=${language}`);
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
    if (!isDressed) {
      core.style_(core.root_, dialog + style);
      core.root_.addEventListener("toggle", core.fit_, true);
    }
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
    const chosen = action === "save" ? switches(panel) : core.each_(core.config_(), () => action === "accept");
    await core.choose_(chosen, event, 2);
  };
}
