import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueue } from "../../static/src/queue.js";
import { backoff } from "../../static/src/retry.js";

const OK = { status: 202, body: {}, wait: 0 };

/** A queue in a world whose clock moves only when told to. */
function world(answers = []) {
  let now = 0;
  let timers = [];
  const sent = [];
  const refusals = [];
  const settle = () => new Promise((done) => setImmediate(done));
  const queue = createQueue(
    async (events) => {
      sent.push(events);
      return answers.shift() || OK;
    },
    (code) => refusals.push(code),
    () => now,
    (run, ms) => timers.push({ at: now + ms, run }),
  );
  return {
    queue,
    sent,
    refusals,
    settle,
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        timers.sort((one, other) => one.at - other.at);
        if (!timers.length || timers[0].at > end) break;
        const next = timers.shift();
        now = Math.max(now, next.at);
        next.run();
        await settle();
      }
      now = end;
    },
  };
}

test("the pause doubles from one second and never exceeds a minute", () => {
  assert.deepEqual([1, 2, 3, 4, 7, 50].map(backoff), [1000, 2000, 4000, 8000, 60000, 60000]);
});

test("an urgent event goes at once, others wait a second for company", async () => {
  const { queue, sent, pass, settle } = world();
  queue.add({ id: "a" }, true);
  await settle();
  assert.deepEqual(sent, [[{ id: "a", age_ms: 0 }]]);
  queue.add({ id: "b" });
  await pass(400);
  queue.add({ id: "c" });
  await pass(600);
  assert.deepEqual(sent[1], [{ id: "b", age_ms: 1000 }, { id: "c", age_ms: 600 }]);
});

test("ten events do not wait", async () => {
  const { queue, sent, settle } = world();
  for (let index = 0; index < 10; index++) queue.add({ id: index });
  await settle();
  assert.equal(sent[0].length, 10);
});

test("while the service is down the same events are tried again, with growing pauses and growing age", async () => {
  const down = { status: 503, body: {}, wait: 0 };
  const { queue, sent, pass, settle } = world([down, { ...down, status: 0 }]);
  queue.add({ id: "a" }, true);
  await settle();
  await pass(999);
  assert.equal(sent.length, 1);
  await pass(1);
  assert.equal(sent.length, 2);
  await pass(2000);
  assert.deepEqual(sent.map(([event]) => [event.id, event.age_ms]), [["a", 0], ["a", 1000], ["a", 3000]]);
  await pass(100000);
  assert.equal(sent.length, 3);
});

test("Retry-After is obeyed, also by events that come meanwhile", async () => {
  const { queue, sent, pass, settle } = world([{ status: 429, body: {}, wait: 20 }]);
  queue.add({ id: "a" }, true);
  await settle();
  queue.add({ id: "b" }, true);
  await pass(19999);
  assert.equal(sent.length, 1);
  await pass(1);
  assert.deepEqual(sent[1].map(({ id }) => id), ["a", "b"]);
});

test("a refusal of the gate ends it: nothing is kept, nothing is sent again", async () => {
  const { queue, sent, refusals, pass, settle } = world([{ status: 403, body: { error: { code: "withdrawn" } }, wait: 0 }]);
  queue.add({ id: "a" }, true);
  queue.add({ id: "b" });
  await settle();
  await pass(200000);
  assert.deepEqual(refusals, ["withdrawn"]);
  assert.equal(sent.length, 1);
  assert.deepEqual(queue.drain(), []);
});

test("after a batch that is too large events go one by one, and one is given up only alone", async () => {
  const large = { status: 413, body: {}, wait: 0 };
  const { queue, sent, pass, settle } = world([large, large, large]);
  for (let index = 0; index < 10; index++) queue.add({ id: index });
  await settle();
  await pass(10000);
  assert.deepEqual(sent.map((events) => events.length), [10, ...Array(10).fill(1)]);
  assert.deepEqual(sent.slice(1).map(([{ id }]) => id), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("what clears the queue while a batch is on its way is not undone by the answer", async () => {
  const { queue, sent, pass, settle } = world([{ status: 503, body: {}, wait: 0 }]);
  queue.add({ id: "a" }, true);
  queue.clear();
  await settle();
  await pass(100000);
  assert.equal(sent.length, 1);
});

test("a page that goes away hands over what is not already on its way", () => {
  const { queue } = world();
  queue.add({ id: "a" }, true);
  queue.add({ id: "b" });
  assert.deepEqual(queue.drain().map(({ id }) => id), ["b"]);
  assert.deepEqual(queue.drain(), []);
});

test("a service that is down for long does not fill the page's memory, nor the last request", () => {
  const { queue } = world(Array.from({ length: 5 }, () => ({ status: 503, body: {}, wait: 3600 })));
  for (let index = 0; index < 2000; index++) queue.add({ id: index });
  const handed = [];
  for (let batch = queue.drain(); batch.length; batch = queue.drain()) handed.push(batch.length);
  assert.deepEqual(handed, [50, 50, 50, 50, 50, 50, 50, 50, 50, 40]);
});

test("what an earlier page could not deliver is sent with its age", async () => {
  const { queue, sent, pass } = world();
  queue.add({ id: "a" }, false, 90000);
  await pass(1000);
  assert.deepEqual(sent, [[{ id: "a", age_ms: 91000 }]]);
});
