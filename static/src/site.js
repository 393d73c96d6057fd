// @ts-check
/** Everything for one site on one page, put together once its banner config is known. */
import { chosen, config, current, entry, isGranted, remember, standing, takeUp } from "./choice.js";
import { core } from "./core.js";
import { painted } from "./frame.js";
import { load } from "./load.js";
import { idsOf } from "./state.js";
import { recall } from "./store.js";
import { start, stop } from "./track.js";
import { hide, open, settle, stay } from "./view.js";
import { release } from "./waiting.js";

/** Whoever has something to take back, owes the service a refusal or sees a frame wait needs more than the core. */
let needsMore = false;
/** Whether what changed on the page is about to be looked at. */
let isDue = false;
/** What a site asked to have joined to the core. @type {((isFirst: boolean) => void)[]} */
let hooks = [];

/** Run when the page's elements are there. @param {() => void} run */
export function whenReady(run) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run);
  else run();
}

/** @param {boolean} isFirst */
function apply(isFirst) {
  hooks.forEach((hook) => hook(isFirst));
  const measuring = config.purposes.find(({ measures }) => measures);
  if (measuring && isGranted(measuring.id)) start(measuring);
  else stop();
  whenReady(() => look(isFirst && !!entry && !!entry.w));
}

/** Release what waits and may go. @param {boolean} isOwed whether the service has to be told something */
function look(isOwed) {
  needsMore = release(isGranted) || needsMore || isOwed || !!idsOf(chosen())[0];
  if (needsMore) load().then((more) => more[2](isOwed), () => {});
}

/**
 * @param {import("./types.js").Config} first
 * @param {(change: import("./types.js").Change) => void} changed
 */
export function startSite(first, changed) {
  takeUp(first, (change) => {
    apply(false);
    changed(change);
  });
  hooks = CONSENT_HOOKS.map((join) => join(config, isGranted, () => current().decided, core));
  apply(true);
  whenReady(() => {
    document.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (!target.closest || !target.closest("[data-consent-open]")) return;
      event.preventDefault();
      open(true);
    });
    if (asks()) {
      open(false);
      // Asked for once the banner is seen: nearly always there is no mirror, and to read cookies takes longer than all that.
      painted().then(() => {
        const found = !entry && recall(config.site);
        if (!found) return;
        remember(found);
        if (!asks()) hide();
      });
    } else settle();
    // What arrives later waits like what was there; who has more of us has its own watch over that.
    new MutationObserver(() => {
      // After the frame, when to ask what can be seen lays nothing out; once for all that came until then.
      if (!isDue)
        painted().then(() => {
          isDue = false;
          stay();
        });
      isDue = true;
      if (!needsMore) look(false);
    }).observe(document, { childList: true, subtree: true });
  });
}

/** Whether the visitor has to be asked now. */
function asks() {
  const { reason, bySignal } = standing();
  return reason && !bySignal && config.purposes[0];
}

export const show = () => whenReady(() => open(true));
