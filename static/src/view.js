// @ts-check
/** The banner on the page: one host, one panel at a time, one status line, and a way back when the page has none. */
import { decide } from "./acts.js";
import { asking, config, entry, refusedBySignal } from "./choice.js";
import { button } from "./dom.js";
import { evidenceOf, wordsOf } from "./evidence.js";
import { focusFirst, pageControl } from "./focus.js";
import { load } from "./load.js";
import { make } from "./make.js";
import { makeBanner } from "./panel.js";
import { each, idsOf } from "./state.js";
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
 * @type {((rules: string) => void) | undefined} */
let setRoom;

root.addEventListener("click", act);
addEventListener("resize", fit);
root.addEventListener("focusin", (event) => {
  const from = /** @type {HTMLElement | null} */ (/** @type {FocusEvent} */ (event).relatedTarget);
  if (from && !root.contains(from)) last = from;
});

// A framework that puts another body in its place must not take the choice away with it.
const keeper = new MutationObserver(() => host.isConnected || (panel ? open(true) : wayBack && settle()));

function mount() {
  const { body, documentElement } = document;
  if (!host.lang) dress(root);
  host.lang = config.language;
  host.dir = config.dir || "ltr";
  if (body.firstChild !== host) body.prepend(host);
  for (const place of [documentElement, body]) keeper.observe(place, { childList: true });
}

function clear() {
  root.append(status);
  status.textContent = "";
  for (const element of [panel, wayBack]) if (element) element.remove();
  panel = wayBack = null;
  isConfirming = false;
}

/** Give the page room for what stands on it, and the keyboard a way into a text that scrolls. */
export function fit() {
  const shown = panel || wayBack;
  const height = shown && !shown.matches("dialog") && `${shown.offsetHeight + 24}px`;
  const rules = height
    ? `@media screen{html{scroll-padding-bottom:${height}!important}html::after{content:"";display:block;height:${height}}}`
    : "";
  if (setRoom) setRoom(rules);
  else setRoom = addStyle(document, rules);
  if (!panel) return;
  const text = /** @type {HTMLElement} */ (panel.firstChild);
  const isCut = text.scrollHeight > text.clientHeight;
  for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-labelledby", "title"]])
    isCut ? text.setAttribute(name, value) : text.removeAttribute(name);
}

/** @param {string} words */
const say = (words) => setTimeout(() => (status.textContent = words), 100);

/**
 * Put a panel on the page, alone.
 * @param {HTMLElement} next
 * @param {string} layout
 * @param {boolean} takesFocus
 */
export function place(next, layout, takesFocus) {
  clear();
  mount();
  panel = next;
  root.append(next);
  if (layout === "dialog") {
    const dialog = /** @type {HTMLDialogElement} */ (next);
    // Escape hides it for this page view and stores nothing; a second layer goes back by its own hand.
    dialog.oncancel = dialog.onclose = (event) => {
      event.preventDefault();
      if (panel === dialog) hide();
    };
    if (dialog.showModal) dialog.showModal();
    else dialog.setAttribute("open", "");
    // What lies behind a modal dialog is not read out.
    dialog.append(status);
  }
  fit();
  if (takesFocus) /** @type {HTMLElement} */ (next.querySelector("h2")).focus({ preventScroll: true });
}

/**
 * Show the first layer.
 * @param {boolean} byVisitor whether the visitor asked for it, and so expects the focus there
 * @param {string} [notice] what has to be said above the sentence
 */
export function open(byVisitor, notice) {
  const { texts, asked_again, layout = "bar" } = config;
  if (asked_again && asking() === "material") notice = notice || asked_again.reason;
  const takesFocus = byVisitor || layout === "dialog";
  place(makeBanner(notice, layout), layout, takesFocus);
  if (!takesFocus) say(notice || texts.title);
  if (refusedBySignal()) explain("signal");
}

/** Say what is rarely said, and so not carried along. @param {string} text */
const explain = (text) => load().then((more) => more.explain_(text), () => {});

/** Say something in the panel and aloud. @param {string} words */
export function note(words) {
  if (panel) /** @type {HTMLElement} */ (panel.querySelector("h2")).after(make("p", { class: "note" }, words));
  fit();
  say(words);
}

/** Close the banner, if it is open. */
export function hide() {
  const hadFocus = root.activeElement;
  settle();
  if (hadFocus) focusFirst([last, pageControl(), wayBack]);
  last = null;
}

/** Leave nothing but a way back: the page's own control, or else our button. */
export function settle() {
  clear();
  if (pageControl()) {
    // Long enough for the status to be read out; then nothing of ours is left on the page.
    setTimeout(() => panel || wayBack || host.remove(), 5000);
  } else if (config.purposes.length) {
    mount();
    root.append((wayBack = button("open", "open")));
  }
  fit();
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
  if (idsOf(purposes)[0] && !event.isTrusted && !isConfirming) {
    isConfirming = true;
    return explain("confirm");
  }
  /** @type {import("./types.js").Act} */
  const made = {
    mechanism: layer > 1 || entry ? "preferences" : "banner",
    layer,
    rendered: wordsOf(panel),
    evidence: evidenceOf(panel, event),
  };
  hide();
  const outcome = await decide(purposes, made).catch(() => "failed");
  if (outcome === "saved") say(config.texts.saved);
  else if (outcome !== undefined && !panel) open(false, config.texts[outcome]);
}

/** @param {Event} event */
function act(event) {
  const target = /** @type {Element} */ (event.target).closest("[data-action]");
  const action = target && target.getAttribute("data-action");
  if (action === "open") open(true);
  else if (panel && !panel.matches(".centre") && (action === "refuse" || action === "accept"))
    choose(each(config, () => action === "accept"), event, 1);
  else if (action) load().then((more) => more.act_(action, event)).catch(() => note(config.texts.failed));
}
