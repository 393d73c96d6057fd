// @ts-check
/** The rest of the tracker: reading, links, files, forms, pages not found, and events that outlive a page without network. */
import { add, getEntry, has, listen, queue, remember } from "./core.js";
import { watchLinks } from "./links.js";
import { watchReading } from "./reading.js";

let turn = () => {};

/** Take up what an earlier page kept, aged by the time between. */
function restore() {
  const entry = getEntry();
  if (!entry || !entry.q) return;
  const { q, ...rest } = entry;
  const age = Math.max(0, Date.now() - q.at);
  remember(rest);
  for (const { age_ms, ...event } of q.events) queue.add(event, false, age_ms + age);
}

/** Watch for what the policy declares. @type {import("../types.js").Watch} */
export const watch = [
  () => {
    restore();
    listen(document, "visibilitychange", () => document.hidden || restore());
    const [{ responseStatus = 0 } = {}] = /** @type {any[]} */ (performance.getEntriesByType("navigation"));
    if (responseStatus === 404) add("not_found", {});
    watchLinks();
    turn = has("engagement") ? watchReading() : () => {};
  },
  () => turn(),
  // Beside the choice, so that they go with it.
  (events) => {
    const entry = getEntry();
    if (entry) remember({ ...entry, q: { at: Date.now(), events } });
  },
];
