// @ts-check
/** What stands in the place of a frame that waits: whose content it is, what for, and a button that grants that alone. */
import { addStyle, button, chosen, decide, dress, eachPurpose, getConfig, make } from "./core.js";
import style from "./frame.css";
import { fetchWhole } from "./preferences.js";

/** The words are fetched once, and only where a frame waits. @type {Promise<import("../types.js").Config> | undefined} */
let words;

/**
 * Put a box of the frame's own size in its place until it is released; nothing on the page moves.
 * @param {HTMLElement} frame
 */
export async function standIn(frame) {
  const ids = `${frame.dataset.consent}`.split(" ");
  const config = getConfig();
  if (frame.dataset.stood !== undefined || !ids.every((id) => config.purposes.some((purpose) => purpose.id === id))) return;
  frame.dataset.stood = "";
  const { language } = config;
  words = words || fetchWhole();
  const { texts, purposes, dir } = await words;
  const title = purposes.filter(({ id }) => ids.includes(id)).map((purpose) => purpose.title).join(", ");
  const host = document.createElement("consent-frame");
  const { width, height } = frame.getBoundingClientRect();
  host.lang = language;
  host.dir = dir || "ltr";
  const root = host.attachShadow({ mode: "open" });
  dress(root);
  addStyle(root, style);
  const said = (/** @type {string} */ text) =>
    text.replace("{host}", new URL(frame.dataset.src || "", location.href).host).replace("{purpose}", title);
  const text = make("p", { role: "status" }, said(texts.blocked));
  const allow = button("allow", "choice", said(texts.allow));
  const box = make("div", { class: "panel frame", dir: host.dir }, text, allow);
  box.style.setProperty("width", `${width}px`);
  box.style.setProperty("min-height", `${height}px`);
  root.append(box);
  let isConfirming = false;
  allow.addEventListener("click", ({ isTrusted }) => {
    if (!isTrusted && !isConfirming) {
      isConfirming = true;
      text.textContent = texts.confirm;
      return;
    }
    const before = chosen();
    decide(eachPurpose((id) => ids.includes(id) || before[id]), {
      mechanism: "preferences",
      layer: 3,
      rendered: `${said(texts.blocked)}\n${said(texts.allow)}`,
      evidence: { refuse_visible: false, area_ratio: 0, trusted: isTrusted },
    });
  });
  frame.hidden = true;
  frame.before(host);
  // The frame tells when it has been released: its mark is gone.
  new MutationObserver((_, watch) => {
    if (frame.dataset.consent !== undefined) return;
    watch.disconnect();
    host.remove();
    frame.hidden = false;
    delete frame.dataset.stood;
  }).observe(frame, { attributes: true, attributeFilter: ["data-consent"] });
}
