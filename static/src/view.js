// @ts-check
/** The banner on the page: one host, one panel at a time, one status line, and a way back when the page has none. */
import { decide } from "./acts.js";
import { asking, chosen, config, refusedBySignal } from "./choice.js";
import { button, make } from "./dom.js";
import { evidenceOf, wordsOf } from "./evidence.js";
import { focusFirst, pageControl } from "./focus.js";
import { makeBanner } from "./panel.js";
import { makePreferences, switches } from "./preferences.js";
import { makeRoom } from "./room.js";
import { each } from "./state.js";
import { dress } from "./styles.js";

const host = document.createElement("consent-banner");
const root = host.attachShadow({ mode: "open" });
const status = make("div", { class: "said", role: "status" });
const wayBack = button("open", "", "open");
/** @type {HTMLElement | null} */
let panel = null;
/** What had the focus before the banner took it. @type {HTMLElement | null} */
let last = null;
let isReopened = false;
let leaveRoom = () => {};

root.append(status);
wayBack.addEventListener("click", () => open(true));
root.addEventListener("focusin", (event) => {
  const from = /** @type {HTMLElement | null} */ (/** @type {FocusEvent} */ (event).relatedTarget);
  if (from && !root.contains(from)) last = from;
});

function mount() {
  const { language, dir } = config;
  if (!host.lang) dress(root, config);
  host.lang = language;
  host.dir = dir;
  if (document.body.firstChild !== host) document.body.prepend(host);
}

function clear() {
  leaveRoom();
  leaveRoom = () => {};
  if (panel) panel.remove();
  panel = null;
  delete host.dataset.open;
}

/** @param {string} words */
const say = (words) => setTimeout(() => (status.textContent = words), 100);

/** @param {HTMLElement} next @param {string} layout @param {boolean} takesFocus */
function place(next, layout, takesFocus) {
  clear();
  mount();
  wayBack.remove();
  panel = next;
  root.append(next);
  host.dataset.open = layout;
  const text = /** @type {HTMLElement} */ (next.firstChild);
  if (next.localName === "dialog") {
    const dialog = /** @type {HTMLDialogElement} */ (next);
    next.addEventListener("cancel", back);
    next.addEventListener("close", back);
    if (dialog.showModal) dialog.showModal();
    else next.setAttribute("open", "");
  } else leaveRoom = makeRoom(next);
  next.addEventListener("click", act);
  if (text.scrollHeight > text.clientHeight) {
    const named = { tabindex: "0", role: "group", "aria-labelledby": "title" };
    Object.entries(named).forEach(([name, value]) => text.setAttribute(name, value));
  }
  if (takesFocus) /** @type {HTMLElement} */ (text.querySelector("h2")).focus({ preventScroll: true });
}

/** Show the first layer. @param {boolean} byVisitor whether the visitor asked for it, and so expects the focus there */
export function open(byVisitor) {
  const { texts, asked_again } = config;
  const notice = refusedBySignal()
    ? texts.signal
    : asking() === "material" && asked_again
      ? asked_again.reason
      : "";
  const layout = config.layout || "bar";
  if (byVisitor) {
    isReopened = true;
    if (document.activeElement && document.activeElement !== host) last = /** @type {HTMLElement} */ (document.activeElement);
  }
  place(makeBanner(config, notice, layout), layout, byVisitor || layout === "dialog");
  if (!byVisitor && layout !== "dialog") say(texts.title);
}

/** Escape: from the second layer to the first, from the first out, storing nothing. @param {Event} event */
function back(event) {
  event.preventDefault();
  if (event.target !== panel) return;
  if (!panel || panel.querySelector('[data-action="customize"],.one') || config.purposes.length < 2) return hide();
  open(isReopened);
  const customize = /** @type {HTMLElement | null} */ (root.querySelector('[data-action="customize"]'));
  if (customize) customize.focus();
}

function hide() {
  const hadFocus = !!root.activeElement;
  clear();
  settle();
  if (hadFocus) focusFirst([last, pageControl(), wayBack]);
  last = null;
  isReopened = false;
}

/** Offer a way back: the page's own control, or else our button. */
export function settle() {
  if (panel || !config.purposes.length) return;
  wayBack.textContent = config.texts.open;
  if (pageControl()) {
    wayBack.remove();
    // Long enough for the status to be read out; then nothing of ours is left on the page.
    setTimeout(() => panel || wayBack.isConnected || host.remove(), 5000);
  } else {
    mount();
    root.append(wayBack);
  }
}

/** @param {Event} event */
async function act(event) {
  const target = /** @type {Element} */ (event.target).closest("[data-action]");
  if (!target || !panel) return;
  const action = target.getAttribute("data-action");
  if (action === "customize") return place(makePreferences(config, chosen()), "dialog", true);
  const isSecond = !!panel.querySelector('[data-action="save"]');
  const purposes = action === "save" ? switches(panel) : each(config, () => action === "accept");
  const made = {
    mechanism: /** @type {"banner" | "preferences"} */ (isSecond || isReopened ? "preferences" : "banner"),
    layer: /** @type {1 | 2} */ (isSecond ? 2 : 1),
    rendered: wordsOf(panel),
    evidence: evidenceOf(panel, event),
  };
  hide();
  const outcome = await decide(purposes, made);
  if (outcome === "saved") say(config.texts.saved);
  else if (outcome !== "overtaken" && !panel) open(false);
}

/** Close the banner, if it is open. */
export const close = () => panel && hide();
