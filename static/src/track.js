// @ts-check
/**
 * The tracker. It listens to nothing and keeps nothing until measuring is granted, and lets go of everything when it ends.
 * Pages, the page's own events and their delivery are here; what else a policy declares comes with the on-demand part.
 */
import { obey } from "./acts.js";
import { config, entry } from "./choice.js";
import { createQueue } from "./queue.js";
import { setting } from "./script.js";
import { all } from "./store.js";
import { post, uuid } from "./transport.js";

/** @typedef {import("./types.js").Extra} Extra */

/** @type {string[]} */
let declared = [];
/** Ends every listening at once. @type {AbortController | null} */
let life = null;
let page = "";
let referrer = "";
let isWrapped = false;
/** What the on-demand part adds. @type {import("./types.js").Watch | undefined} */
let watch;
/** What the page has asked to see of each event before it is kept. @type {Set<import("./types.js").Before>} */
export const before = new Set();

/** Tell whether the policy declares a group of data. @param {string} group */
export const has = (group) => declared.includes(group);
const deliver = (/** @type {object[]} */ events) =>
  post("/v1/events", { site: config.site, token: entry && entry.t, events });
export const queue = createQueue(
  deliver,
  (code) => {
    stop();
    obey(code);
  },
);

/** The page on screen: path and query; where the tag says so, the path after the hash stands for pages too. */
function shown() {
  const { origin, pathname, search, hash } = location;
  return origin + (setting("data-hash") !== null && hash[1] === "/" ? pathname.replace(/\/$/, "") + hash.slice(1) : pathname + search);
}

/** Take an event, as the page wants it. @param {string} name @param {object} fields @param {boolean} [isUrgent] */
export function add(name, fields, isUrgent) {
  if (!life) return;
  /** @type {any} */
  let event = { id: uuid(), name, url: has("page") ? page : location.origin + "/", screen_width: has("device") ? screen.width : undefined, ...fields };
  try {
    for (const edit of before) event = event && edit(event);
    if (event) queue.add(event, isUrgent);
  } catch (error) {
    // What the page meant to take out may still be in it.
    console.warn("consent: dropped", error);
  }
}

function pageview() {
  page = shown();
  add("pageview", { referrer: (has("source") && referrer) || undefined }, true);
  referrer = page;
}

function moved() {
  if (!life || shown() === page) return;
  if (watch) watch[1]();
  pageview();
}

/** Listen until the tracker ends. @param {EventTarget} target @param {string} name @param {(event: any) => void} heard */
export const listen = (target, name, heard) =>
  target.addEventListener(name, heard, { capture: true, signal: /** @type {AbortController} */ (life).signal });

function hidden() {
  if (!document.hidden) return;
  if (watch) watch[1]();
  const events = queue.drain();
  if (!events[0]) return;
  if (watch && queue.isFailing()) watch[2](events);
  else deliver(events);
}

/** Let the on-demand part watch too. @param {import("./types.js").Watch} more */
export function extend(more) {
  watch = more;
  if (page) watch[0]();
}

function begin() {
  moved();
  if (watch && life) watch[0]();
}

/** Start measuring what the policy says is collected. @param {import("./types.js").Purpose} purpose */
export function start({ data = [] }) {
  declared = data;
  if (life || all().out) return;
  life = new AbortController();
  page = "";
  ({ referrer } = document);
  if (!isWrapped)
    for (const name of /** @type {("pushState" | "replaceState")[]} */ (["pushState", "replaceState"])) {
      const original = history[name];
      history[name] = function () {
        original.apply(this, /** @type {any} */ (arguments));
        moved();
      };
    }
  isWrapped = true;
  listen(window, "popstate", moved);
  listen(document, "visibilitychange", hidden);
  listen(window, "pageshow", ({ persisted }) => persisted && pageview());
  // A page that is only being prepared has not been seen by anyone yet.
  if (document.prerendering) listen(document, "prerenderingchange", begin);
  // What comes after this script in the page may want to see the first event before it is kept.
  else setTimeout(begin);
}

export function stop() {
  if (!life) return;
  life.abort();
  life = null;
  queue.clear();
}

/** Take an event of the page's own; nothing happens without a grant. @param {string} name @param {Extra} [extra] */
export function track(name, { props, revenue } = {}) {
  if (!life) return;
  if (name === "pageview") pageview();
  else if (has("events")) add(name + "", { props: has("props") ? props : undefined, revenue: has("revenue") ? revenue : undefined });
}
