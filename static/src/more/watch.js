// @ts-check
/** The rest of the tracker: reading, links, files, forms, pages not found, and events that outlive a page without network. */
import { watchLinks } from "./links.js";
import { watchReading } from "./reading.js";

/** @typedef {import("../types.js").Core} Core */

/**
 * Keep events that a closing page could not deliver beside the choice, so that they go with it.
 * @param {Core} core
 * @param {any[]} events
 */
function keep({ entry_, remember_ }, events) {
  const entry = entry_();
  if (entry) remember_({ ...entry, q: { at: Date.now(), events } });
}

/** Take up what an earlier page kept, aged by the time between. @param {Core} core */
function restore({ entry_, remember_, queue_ }) {
  const entry = entry_();
  if (!entry || !entry.q) return;
  const { q, ...rest } = entry;
  const age = Math.max(0, Date.now() - q.at);
  remember_(rest);
  queue_.restore(q.events.map((event) => ({ ...event, age_ms: event.age_ms + age })));
}

/**
 * Watch for what the policy declares.
 * @param {Core} core
 * @returns {import("../types.js").Watch}
 */
export function makeWatch(core) {
  let turn = () => {};
  return {
    begin_() {
      restore(core);
      core.listen_(document, "visibilitychange", () => document.visibilityState === "visible" && restore(core));
      const [{ responseStatus = 0 } = {}] = /** @type {any[]} */ (performance.getEntriesByType("navigation"));
      if (responseStatus === 404) core.add_("not_found", {});
      watchLinks(core);
      turn = core.has_("engagement") ? watchReading(core) : () => {};
    },
    turn_: () => turn(),
    keep_: (events) => keep(core, events),
  };
}
