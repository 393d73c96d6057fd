// @ts-check
/**
 * Joins the core where a change of the policy asks earlier visitors again: about what changed alone, with what they
 * agreed to then beside what is new now.
 */
import { addStyle, borrow, choose, chosen, eachPurpose, getConfig, getEntry, getPanel, idsOf, make, note, open, policyLink, renew, root } from "../more/core.js";
import { allStands } from "./asked.js";
import { standing } from "./standing.js";
import style from "./again.css";

/** @typedef {import("../types.js").Group} Group */

/** What the panel on screen asks, undefined where that is everything. @type {Group | undefined} */
let asks;
/** @type {HTMLElement | null} */
let shown = null;
let isDressed = false;

/** Tell what is asked of the choice that this browser holds. */
function find() {
  const { asked_again: again } = getConfig();
  const entry = getEntry();
  const { reason, bySignal } = standing();
  if (!again || !entry || reason !== "material" || bySignal) return undefined;
  const { v } = entry;
  const groups = idsOf(entry.p)[0] ? again.granted : again.refused;
  return groups.find(({ version }) => version <= v) || { version: 0, purposes: [], reason: again.reason, body: null, changes: [] };
}

/** @param {Group["changes"][0]} change */
const linesOf = ({ lines }) => make("ul", { class: "news" }, ...lines.map((line) => make("li", {}, line)));

/** Say on the first layer why and what is asked again. @param {HTMLElement} panel @param {Group} group */
function tell(panel, { reason, changes, body }) {
  const sentence = /** @type {HTMLElement} */ (panel.querySelector("p"));
  if (body) {
    const [before, after] = body.split("{policy}");
    sentence.replaceChildren(before, policyLink(), after);
  }
  note(reason);
  for (const change of changes) sentence.before(make("h3", {}, change.title), linesOf(change));
}

/** Show in the preference centre what is new; nothing of it is ticked. @param {HTMLElement} panel @param {Group} group */
function mark(panel, { purposes, reason, changes }) {
  purposes.forEach((id) => {
    const toggle = /** @type {HTMLInputElement | null} */ (panel.querySelector(`input[data-purpose="${id}"]`));
    const change = changes.find((each) => each.id === id);
    if (!toggle) return;
    toggle.checked = false;
    const about = /** @type {HTMLElement} */ (panel.querySelector(`#about-${id}`));
    if (change) about.after(linesOf(change));
  });
  note(reason);
}

function look() {
  const panel = getPanel();
  if (panel === shown) return;
  shown = panel;
  // What was asked stays until another panel asks: the decision is on its way when the panel is gone.
  if (!panel) return;
  const group = find();
  const isCentre = panel.matches(".centre");
  asks = group && group.purposes[0] && !isCentre ? group : undefined;
  const { asked, ...config } = getConfig();
  renew(group ? { ...config, asked: asks ? asks.purposes : idsOf(eachPurpose(() => true)) } : config);
  if (!group) return;
  if (!isDressed) addStyle(root, style);
  isDressed = true;
  if (isCentre) mark(panel, group);
  else tell(panel, group);
}

/** Take an answer about what is asked; every other choice stands. @param {Event} event */
function answer(event) {
  const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-action]"));
  const { action = "" } = target ? target.dataset : {};
  if (!asks || !getPanel() || !/^(refuse|accept)$/.test(action)) return;
  event.stopPropagation();
  const { purposes } = asks;
  choose(eachPurpose((id) => (purposes.includes(id) ? action === "accept" : chosen()[id])), event, 1);
}

/** A frame that waits is asked for after what was outgrown: it must not grant that anew beside it. @param {Event} event */
function hold(event) {
  const { host } = /** @type {ShadowRoot} */ (/** @type {Element} */ (event.composedPath()[0]).getRootNode());
  if (!host || host.localName !== "consent-frame" || !find()) return;
  event.stopPropagation();
  open(true);
}

/** Leave a choice in peace that stands purpose by purpose; an older one of another tab's is asked all the same. */
function spare() {
  const config = getConfig();
  const entry = getEntry();
  if (entry && entry.v < /** @type {number} */ (config.material_version) && idsOf(entry.p)[0] && allStands(entry, config))
    renew({ ...config, material_version: entry.v });
}

CONSENT_HOOKS.push((_config, _isGranted, _isDecided, core) => {
  borrow(core());
  spare();
  // Told before anything is painted, so that nobody sees the panel without what is new.
  new MutationObserver(look).observe(root, { childList: true });
  root.addEventListener("click", answer, true);
  document.addEventListener("click", hold, true);
  // Also where the choice comes late, out of the server's mirror.
  return spare;
});
