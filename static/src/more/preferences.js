// @ts-check
/** The second layer: a switch for each purpose, what it keeps and for how long, and the same two equal buttons. */
import { get } from "../get.js";
import dialog from "../layouts/dialog.css";
import { addStyle, base, button, choose, chosen, equalChoices, getConfig, getPanel, heading, make, open, place, policyLink, renew, root } from "./core.js";
import { modal } from "../modal.js";
import style from "./more.css";

/**
 * @typedef {import("../types.js").Purpose} Purpose
 * @typedef {import("../types.js").Cookie} Cookie
 * @typedef {import("../types.js").Purposes} Purposes
 */

/** @param {Cookie} cookie */
const cookieLine = ({ name, life, description }) =>
  make("li", {}, make("code", {}, name), ` · ${life}`, description && ` · ${description}`);

/** @param {Purpose} purpose @param {boolean} isAsked */
function particulars({ id, collected = [], recipients = [], kept, cookies = [] }, isAsked) {
  const { texts } = getConfig();
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

/** @param {Purpose} purpose @param {boolean | null} isOn null for what is never asked */
function section(purpose, isOn) {
  const { id, title, description } = purpose;
  const about = `about-${id}`;
  /** @type {HTMLInputElement | null} */
  let toggle = null;
  if (isOn !== null) {
    toggle = make("input", { type: "checkbox", role: "switch", "data-purpose": id, "aria-describedby": about });
    toggle.checked = isOn;
  }
  const name = make("span", { id: `name-${id}` }, title);
  const state = toggle || make("span", {}, getConfig().texts.always);
  return make(
    "div",
    { class: "purpose" },
    make("h3", {}, make(toggle ? "label" : "span", { class: "row" }, name, state)),
    make("p", { id: about }, description),
    particulars(purpose, isOn !== null),
  );
}

/** Make the centre. Nothing is ticked but what the visitor chose before. */
function makeCentre() {
  const { texts, purposes, exempt = [] } = getConfig();
  const before = chosen();
  return make(
    "dialog",
    { class: "panel centre", "aria-labelledby": "title" },
    make(
      "div",
      { class: "text" },
      heading(texts.customize),
      make("p", {}, policyLink()),
      ...purposes.map((purpose) => section(purpose, !!before[purpose.id])),
      ...exempt.map((purpose) => section(purpose, null)),
    ),
    make("div", { class: "choices" }, ...equalChoices(), button("save", "choice plain"), button("back", "plain")),
  );
}

/** Read the switches. @param {HTMLElement} panel */
function switches(panel) {
  /** @type {Purposes} */
  const purposes = {};
  panel.querySelectorAll("input").forEach((toggle) => (purposes[toggle.dataset.purpose || ""] = toggle.checked));
  return purposes;
}

/** Fetch all that is said about the site, in the banner's language. @returns {Promise<import("../types.js").Config>} */
export function fetchWhole() {
  const { site, language } = getConfig();
  return get(`${base}/v1/sites/${site}/banner?lang=${language}`);
}

let isDressed = false;

function back() {
  open(true);
  const again = /** @type {HTMLElement | null} */ (root.querySelector('[data-action="customize"]'));
  if (again) again.focus();
}

async function customize() {
  const panel = getPanel();
  const whole = await fetchWhole();
  if (getPanel() !== panel) return;
  renew(whole);
  if (!isDressed) addStyle(root, dialog + style);
  isDressed = true;
  place(makeCentre(), true, modal, back);
}

/** Answer a button that the core does not know. @param {string} action @param {Event} event */
export async function act(action, event) {
  const panel = getPanel();
  if (action === "customize") return customize();
  if (action === "back") back();
  else if (panel) return choose(switches(panel), event, 2);
}
