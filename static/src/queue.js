// @ts-check
/** Events on their way: small batches, nothing lost while the service is down, nothing kept once consent is gone. Pure. */

/** @typedef {import("./types.js").Answer} Answer */

const BATCH = 10;
const MOST = 500;
/** As many as the service takes in one request. */
const LAST = 50;

/** Return the pause after a number of failures in a row, in milliseconds. @param {number} failures */
export const backoff = (failures) => Math.min(1000 * 2 ** (failures - 1), 60000);

/** Tell whether the same request may succeed later. @param {Answer} answer */
export const mayRetry = ({ status }) => !status || status === 429 || status > 499;

/**
 * Make a queue. `send` posts a batch; `refused` hears the code of a refusal, after which nothing is sent or kept.
 * @param {object} way
 * @param {(events: object[]) => Promise<Answer>} way.send
 * @param {(code: string) => void} way.refused
 * @param {() => number} way.clock milliseconds that never jump
 * @param {(run: () => void, ms: number) => any} way.later
 */
export function createQueue({ send, refused, clock, later }) {
  /** @type {{at: number, event: object}[]} */
  let waiting = [];
  let flying = 0;
  let isPlanned = false;
  let failures = 0;
  let size = BATCH;
  let resumeAt = 0;
  let life = 0;

  /** @param {{at: number, event: object}[]} batch */
  const aged = (batch) => batch.map(({ at, event }) => ({ ...event, age_ms: Math.max(0, Math.round(clock() - at)) }));

  /** @param {number} ms */
  function plan(ms) {
    if (isPlanned) return;
    isPlanned = true;
    later(() => {
      isPlanned = false;
      flush();
    }, ms);
  }

  async function flush() {
    if (flying || !waiting.length) return;
    const pause = resumeAt - clock();
    if (pause > 0) return plan(pause);
    const mine = life;
    const batch = waiting.slice(0, size);
    flying = batch.length;
    const answer = await send(aged(batch));
    if (mine !== life) return;
    flying = 0;
    settle(batch, answer);
    if (waiting.length) plan(Math.max(0, resumeAt - clock()));
  }

  /** @param {{at: number, event: object}[]} batch @param {Answer} answer */
  function settle(batch, answer) {
    const { status, code, wait } = answer;
    if (status === 403) {
      clear();
      refused(code);
    } else if (mayRetry(answer)) {
      resumeAt = clock() + (Math.min(wait * 1000, 3600000) || backoff(++failures));
    } else if (status === 413 && batch.length > 1) {
      size = Math.ceil(batch.length / 2);
    } else {
      waiting = waiting.slice(batch.length);
      failures = 0;
      size = BATCH;
    }
  }

  function clear() {
    life++;
    waiting = [];
    flying = failures = resumeAt = 0;
  }

  return {
    /** Take an event; an urgent one, or a full batch, goes at once. @param {object} event @param {boolean} [isUrgent] */
    add(event, isUrgent) {
      if (waiting.length < MOST) waiting.push({ at: clock(), event });
      if (isUrgent || waiting.length >= BATCH) flush();
      else plan(1000);
    },
    /** Hand over what is not on its way already, for a page that goes away. */
    drain() {
      return aged(waiting.splice(flying, LAST));
    },
    clear,
  };
}
