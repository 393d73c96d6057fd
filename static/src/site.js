// @ts-check
/** Everything for one site on one page, put together once its banner config is known. */
import { resume, withdraw as takeBack } from "./acts.js";
import { asking, config, current, follow, takeUp } from "./choice.js";
import { KEY } from "./store.js";
import { start, stop } from "./track.js";
import { close, open, settle } from "./view.js";
import { release } from "./waiting.js";

let isFollowing = false;

/** Run when the page's elements are there. @param {() => void} run */
function whenReady(run) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run, { once: true });
  else run();
}

/** Tell whether a purpose is granted now. @param {string} purpose */
export const isGranted = (purpose) => current().purposes[purpose] === true;

function apply() {
  const measuring = config.purposes.find(({ measures }) => measures);
  if (measuring && isGranted(measuring.id)) start(measuring);
  else stop();
  const { purposes } = current();
  if (!Object.keys(purposes).some(isGranted)) return;
  whenReady(() => release(isGranted));
  if (isFollowing) return;
  isFollowing = true;
  // Only a browser with something to take back needs to hear that another tab took it back.
  addEventListener("storage", ({ key }) => (key === KEY || key === null) && follow());
  addEventListener("pageshow", ({ persisted }) => persisted && follow());
}

/**
 * @param {import("./types.js").Config} first
 * @param {(change: import("./types.js").Change) => void} changed
 */
export function startSite(first, changed) {
  takeUp(first, (change) => {
    apply();
    changed(change);
  });
  apply();
  resume();
  whenReady(() => {
    if (asking()) open(false);
    else settle();
    document.addEventListener("click", (event) => {
      if (!(event.target instanceof Element) || !event.target.closest("[data-consent-open]")) return;
      event.preventDefault();
      open(true);
    });
  });
}

export const show = () => whenReady(() => open(true));

export function withdraw() {
  close();
  return takeBack("api");
}
