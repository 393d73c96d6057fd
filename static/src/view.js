// @ts-check
/** The banner on the page: one host, one panel at a time, one status line, and a way back when the page has none. */
import { decide } from "./acts.js";
import { config, eachPurpose, entry, standing } from "./choice.js";
import { button } from "./dom.js";
import { evidenceOf, wordsOf } from "./evidence.js";
import { focusFirst, pageControl } from "./focus.js";
import { painted } from "./frame.js";
import { load } from "./load.js";
import { make } from "./make.js";
import { modal } from "./modal.js";
import { makeBanner } from "./panel.js";
import { idsOf } from "./state.js";
import { addStyle, dress } from "./styles.js";

const host = document.createElement("consent-banner");
export const root = host.attachShadow({ mode: "open" });
const status = make("div", { class: "said", role: "status" });
/** @type {HTMLElement | null} */
let wayBack = null;
/** @type {HTMLElement | null} */
export let panel = null;
/** What had the focus before the banner took it. @type {HTMLElement | null} */
let last = null;
let isConfirming = false;
/** Room for a bar: what has the focus, and the page's last line, must never be hidden under it, and nothing may move.
 * @type {CSSStyleSheet | undefined} */
let room;

// Told between layout and paint, when asking for sizes costs nothing; also of what has left the page.
const sizes = window.ResizeObserver && new ResizeObserver(fit);

root.addEventListener("click", act);
root.addEventListener("focusin", (event) => {
  const from = /** @type {HTMLElement | null} */ (/** @type {FocusEvent} */ (event).relatedTarget);
  if (from && !root.contains(from)) last = from;
});

/** Come back where a framework has put another body in the place of the old, and see whether the page still has a control. */
export const stay = () => (panel ? host.isConnected || open(true) : settle());

function mount() {
  const { body } = document;
  if (!host.lang) dress(root);
  host.lang = config.language;
  host.dir = config.dir || "ltr";
  if (body.firstChild !== host) body.prepend(host);
}

function clear() {
  if (status.parentNode !== root) root.append(status);
  status.textContent = "";
  for (const element of [panel, wayBack]) if (element) element.remove();
  panel = wayBack = null;
  isConfirming = false;
}

/** Hear of its size and of all in its text, which may grow in a box that does not. @param {HTMLElement} element */
function watch(element) {
  if (sizes) for (const part of [element, ...element.querySelectorAll(".text,.text>*")]) sizes.observe(part);
}

/** @param {HTMLElement} shown */
function stand(shown) {
  // On the panel too: the page's own sheet may say another direction for the host.
  shown.dir = host.dir;
  root.append(shown);
  watch(shown);
}

/** Give the page room for what stands on it, and the keyboard a way into a text that scrolls. */
function fit() {
  const shown = panel || wayBack;
  const height = shown && !shown.matches("dialog") && `${shown.offsetHeight + 24}px`;
  const text = panel && /** @type {HTMLElement} */ (panel.firstChild);
  const isCut = text && text.scrollHeight > text.clientHeight;
  const rules = height
    ? `@media screen{html{scroll-padding-bottom:${height}!important}html::after{content:"";display:block;height:${height}}}`
    : "";
  if (room) room.replaceSync(rules);
  else room = addStyle(document, rules);
  if (text) for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-labelledby", "title"]])
    isCut ? text.setAttribute(name, value) : text.removeAttribute(name);
}

/** @param {string} words */
const say = (words) => setTimeout(() => (status.textContent = words), 100);

/**
 * Put a panel on the page, alone.
 * @param {HTMLElement} next
 * @param {boolean} takesFocus
 * @param {typeof modal | null} stage what makes it modal
 * @param {() => void} [leave] what Escape does; by itself it hides the panel for this page view and stores nothing
 */
export function place(next, takesFocus, stage, leave = hide) {
  clear();
  mount();
  stand((panel = next));
  if (stage) stage(next, leave, status);
  if (takesFocus) /** @type {HTMLElement} */ (next.querySelector("h2")).focus({ preventScroll: true });
}

/**
 * Show the first layer.
 * @param {boolean} byVisitor whether the visitor asked for it, and so expects the focus there
 * @param {string} [notice] what has to be said above the sentence
 */
export function open(byVisitor, notice) {
  const { texts, layout = "bar" } = config;
  const isDialog = HAS_DIALOG && layout === "dialog";
  const takesFocus = byVisitor || isDialog;
  place(makeBanner(layout), takesFocus, isDialog ? modal : null);
  if (notice) note(notice);
  else if (!takesFocus) say(texts.title);
  if (standing().bySignal) explain("signal");
}

/** Say what is rarely said, and so not carried along. @param {string} text */
const explain = (text) => load().then((more) => more[1](text), () => {});

/** Say something in the panel and aloud. @param {string} words */
export function note(words) {
  const said = make("p", { class: "note" }, words);
  if (panel) /** @type {HTMLElement} */ (panel.querySelector("h2")).after(said);
  watch(said);
  say(words);
}

/** Close the banner, if it is open. */
export function hide() {
  const hadFocus = root.activeElement;
  clear();
  painted().then(() => {
    if (panel) return;
    settle();
    if (hadFocus) focusFirst([last, pageControl(), wayBack]);
    last = null;
  });
}

/** Leave nothing but a way back: the page's own control, or else our button; pages add and remove theirs at any time. */
export function settle() {
  if (pageControl()) wayBack && hide();
  else if (config.purposes[0] && !(wayBack && host.isConnected)) {
    mount();
    stand((wayBack = wayBack || button("open", "open")));
  }
}

/**
 * Take a choice made on the panel.
 * @param {import("./types.js").Purposes} purposes
 * @param {Event} event
 * @param {1 | 2} layer
 */
export async function choose(purposes, event, layer) {
  if (!panel) return;
  // Some assistive tools click so, and some scripts: the person is asked, the script is slowed and its act marked.
  const isGrant = idsOf(purposes)[0];
  if (isGrant && !event.isTrusted && !isConfirming) {
    isConfirming = true;
    return explain("confirm");
  }
  /** @type {import("./types.js").Act} */
  const made = {
    mechanism: layer > 1 || entry ? "preferences" : "banner",
    layer,
    ...(isGrant && { rendered: wordsOf(panel), evidence: evidenceOf(panel, event) }),
  };
  hide();
  const outcome = await decide(purposes, made).catch(() => "failed");
  if (outcome === "saved") say(config.texts.saved);
  else if (outcome !== undefined && !panel) open(false, config.texts[outcome]);
}

/** @param {Event} event */
function act(event) {
  const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-action]"));
  const { action = "" } = target ? target.dataset : {};
  if (action === "open") open(true);
  else if (panel && /^(refuse|accept)$/.test(action))
    choose(eachPurpose(() => action === "accept"), event, panel.matches(".centre") ? 2 : 1);
  else if (action) load().then((more) => more[0](action, event)).catch(() => note(config.texts.failed));
}
