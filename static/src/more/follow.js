// @ts-check
/** Going on after a choice: other tabs, pages taken from the cache, markup that arrives later, and what is owed. */
import { KEY } from "../state.js";
import { deleteDeclared } from "./cleanup.js";
import { chosen, decide, eachPurpose, follow, getConfig, getEntry, idsOf, isGranted, release } from "./core.js";
import { standIn } from "./stand-in.js";
import { turnOff } from "./taking-back.js";

/** Deliver what an earlier page could not, or what came too late. */
function resume() {
  const entry = getEntry();
  if (!entry || !entry.w) return;
  if (entry.w === 1) decide(eachPurpose(() => false), { mechanism: "banner", layer: 1 });
  else turnOff(chosen(), { mechanism: "preferences", layer: 2 });
}

function free() {
  if (!release(isGranted)) return;
  document.querySelectorAll("iframe[data-consent]").forEach((frame) => standIn(/** @type {HTMLElement} */ (frame)));
}

function watchPage() {
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && follow());
  addEventListener("pageshow", ({ persisted }) => persisted && follow());
  // What a framework adds later waits and is released like what was there from the start.
  new MutationObserver((changes) => changes.some(({ addedNodes }) => addedNodes.length) && free()).observe(
    document.documentElement,
    { childList: true, subtree: true },
  );
}

let isListening = false;
/** @type {string[]} */
let held = [];

/** Do what is due when the page begins and after each choice. @param {boolean} isOwed whether the service has to be told something */
export function goOn(isOwed) {
  const granted = idsOf(chosen());
  deleteDeclared(getConfig(), held.filter((id) => !granted.includes(id)));
  held = granted;
  if (!isListening) watchPage();
  isListening = true;
  free();
  if (isOwed) resume();
}
