// @ts-check
/** The tracker. It listens to nothing and keeps nothing until measuring is granted, and lets go of everything when it ends. */
import { obey } from "./acts.js";
import { config, entry } from "./choice.js";
import { createQueue } from "./queue.js";
import { leave, post, uuid } from "./transport.js";

/** @type {Set<string>} */
let declared = new Set();
let isOn = false;
let measuring = "";
let page = "";
let referrer = "";
/** @type {(() => void)[]} */
let undo = [];

const body = (/** @type {object[]} */ events) => ({ site: config.site, token: (entry && entry.t) || null, events });
const queue = createQueue({
  send: (events) => post("/v1/events", body(events)),
  refused(code) {
    stop();
    obey(code, measuring);
  },
  clock: () => performance.now(),
  later: setTimeout,
});

/** @param {string} name @param {import("./types.js").Extra} [extra] */
function event(name, { props, revenue } = {}) {
  const has = (/** @type {string} */ group) => declared.has(group);
  return {
    id: uuid(),
    name,
    url: has("page") ? location.href.split("#")[0] : `${location.origin}/`,
    referrer: has("source") && referrer ? referrer : undefined,
    props: has("props") ? props : undefined,
    revenue: has("revenue") ? revenue : undefined,
    screen_width: has("device") ? screen.width : undefined,
  };
}

/** The page on screen: path and query; a hash alone is not another page. */
const shown = () => location.origin + location.pathname + location.search;

function pageview() {
  page = shown();
  queue.add(event("pageview"), true);
  referrer = page;
}

function moved() {
  if (isOn && shown() !== page) pageview();
}

/** @param {EventTarget} target @param {string} name @param {(event: any) => void} heard */
function listen(target, name, heard) {
  target.addEventListener(name, heard);
  undo.push(() => target.removeEventListener(name, heard));
}

/** @param {"pushState" | "replaceState"} name */
function wrap(name) {
  const original = history[name];
  const wrapped = /** @type {History["pushState"]} */ (
    function (...args) {
      original.apply(history, args);
      moved();
    }
  );
  history[name] = wrapped;
  undo.push(() => {
    if (history[name] === wrapped) history[name] = original;
  });
}

function hidden() {
  const events = queue.drain();
  if (events.length) leave("/v1/events", body(events));
}

/** Start measuring what the policy says is collected. @param {import("./types.js").Purpose} purpose */
export function start({ id, data }) {
  measuring = id;
  declared = new Set(data);
  if (isOn) return;
  isOn = true;
  referrer = document.referrer;
  wrap("pushState");
  wrap("replaceState");
  listen(window, "popstate", moved);
  listen(window, "pagehide", hidden);
  listen(document, "visibilitychange", () => document.visibilityState === "hidden" && hidden());
  listen(window, "pageshow", ({ persisted }) => persisted && isOn && pageview());
  // A page that is only being prepared has not been seen by anyone yet.
  if (document.prerendering) listen(document, "prerenderingchange", pageview);
  else pageview();
}

export function stop() {
  if (!isOn) return;
  isOn = false;
  queue.clear();
  undo.forEach((step) => step());
  undo = [];
}

/** Take an event of the page's own; nothing happens without a grant. @param {string} name @param {import("./types.js").Extra} [extra] */
export function track(name, extra) {
  if (isOn && (name === "pageview" || declared.has("events"))) queue.add(event(String(name), extra));
}
