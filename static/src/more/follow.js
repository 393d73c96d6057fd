// @ts-check
/** Going on after a choice: other tabs, pages taken from the cache, markup that arrives later, and what is owed. */
import { KEY } from "../store.js";
import { deleteDeclared } from "./cleanup.js";
import { standIn } from "./stand-in.js";
import { turnOff } from "./taking-back.js";

/** @typedef {import("../types.js").Core} Core */

/** Deliver what an earlier page could not, or what came too late. @param {Core} core */
function resume(core) {
  const entry = core.entry_();
  if (!entry || !entry.w) return;
  if (entry.w === 1) core.decide_(core.each_(core.config_(), () => false), { mechanism: "banner", layer: 1 });
  else turnOff(core, core.chosen_(), { mechanism: "preferences", layer: 2 });
}

/** @param {Core} core */
function free(core) {
  if (!core.release_(core.granted_)) return;
  document.querySelectorAll("iframe[data-consent]").forEach((frame) => standIn(core, /** @type {HTMLElement} */ (frame)));
}

/** @param {Core} core */
function listen(core) {
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && core.follow_());
  addEventListener("pageshow", ({ persisted }) => persisted && core.follow_());
  // What a framework adds later waits and is released like what was there from the start.
  new MutationObserver((changes) => changes.some(({ addedNodes }) => addedNodes.length) && free(core)).observe(
    document.documentElement,
    { childList: true, subtree: true },
  );
}

/**
 * Return what is done when the page begins and after each choice.
 * @param {Core} core
 * @returns {(isOwed: boolean) => void}
 */
export function follower(core) {
  let isListening = false;
  /** @type {string[]} */
  let held = [];
  return (isOwed) => {
    const granted = core.ids_(core.chosen_());
    deleteDeclared(core.config_(), held.filter((id) => !granted.includes(id)));
    held = granted;
    if (!isListening) listen(core);
    isListening = true;
    free(core);
    if (isOwed) resume(core);
  };
}
