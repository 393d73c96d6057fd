// @ts-check
/** Events on their way: small batches, nothing lost while the service is down, nothing kept once consent is gone. Pure. */
import { backoff, mayRetry } from "./retry.js";

/** @typedef {import("./types.js").Answer} Answer */

const BATCH = 10;
const MOST = 500;
/** As many as the service takes in one request. */
const LAST = 50;

/**
 * Make a queue.
 * @param {(events: object[]) => Promise<Answer>} send posts a batch
 * @param {(code: string) => void} refused hears the code of a refusal, after which nothing is sent or kept
 * @param {() => number} clock milliseconds that never jump
 * @param {(run: () => void, ms: number) => any} later
 */
export function createQueue(send, refused, clock = () => performance.now(), later = setTimeout) {
  /** @type {{at: number, event: object}[]} */
  let waiting = [];
  let flying = 0;
  let failures = 0;
  let isPausing = false;
  /** One at a time once a batch was too large. */
  let size = BATCH;

  /** @param {{at: number, event: object}[]} batch */
  const aged = (batch) => batch.map(({ at, event }) => ({ ...event, age_ms: Math.round(clock() - at) }));

  /** Send a batch, unless one is on its way or a pause is kept; then what came meanwhile. */
  async function flush() {
    if (flying || isPausing || !waiting[0]) return;
    const mine = waiting;
    const batch = waiting.slice(0, size);
    flying = batch.length;
    const answer = await send(aged(batch));
    // Cleared meanwhile: what comes now is another life's.
    if (mine !== waiting) return;
    flying = 0;
    if (answer.status === 403) {
      clear();
      return refused(answer.body.error.code);
    }
    isPausing = mayRetry(answer);
    failures = isPausing ? failures + 1 : 0;
    if (answer.status === 413 && batch[1]) size = 1;
    else if (!isPausing) waiting.splice(0, batch.length);
    if (waiting[0]) later(() => {
      isPausing = false;
      flush();
    }, isPausing ? Math.min(answer.wait * 1000, 3600000) || backoff(failures) : 0);
  }

  function clear() {
    waiting = [];
    flying = failures = 0;
    isPausing = false;
  }

  return {
    /**
     * Take an event; an urgent one, or a full batch, goes at once.
     * @param {object} event
     * @param {boolean} [isUrgent]
     * @param {number} [age] milliseconds that an earlier page has kept it
     */
    add(event, isUrgent, age = 0) {
      if (waiting.length < MOST) waiting.push({ at: clock() - age, event });
      if (isUrgent || waiting.length >= BATCH) flush();
      else later(flush, 1000);
    },
    /** Hand over what is not on its way already, for a page that goes away. */
    drain: () => aged(waiting.splice(flying, LAST)),
    /** Tell whether the last request did not get through. */
    isFailing: () => failures > 0,
    clear,
  };
}
