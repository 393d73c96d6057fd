import assert from "node:assert/strict";
import { test } from "node:test";
import { asEntry, dayOf, fromMirror, judge, refusal } from "../../static/src/state.js";
import { allStands } from "../../static/src/again/asked.js";
import { DAY, NOON, config } from "./config.mjs";

const granted = (changes = {}) => ({
  p: { analytics: true },
  v: 3,
  d: "2026-11-24",
  t: "token",
  b: { receipt_id: "receipt", decided_at: "2026-11-24T12:00:00Z", expires_at: "2027-05-23T12:00:00Z" },
  ...changes,
});
const askReason = (entry, site, now) => judge(entry, site, false, now).reason;
const grantsOf = (entry, site, signal, now) => judge(entry, site, signal, now).purposes;
const signalDecides = (entry, site, signal, now) => judge(entry, site, signal, now).bySignal;
const refused = (changes = {}) => ({ ...refusal(config(), "2026-11-24", "token"), ...changes });

test("a browser without a choice is asked", () => {
  assert.equal(askReason(null, config(), NOON), "first");
});

for (const [name, entry] of [["a grant", granted()], ["a refusal", refused()]]) {
  test(`${name} stands for 179 days and is asked again after 181`, () => {
    assert.equal(askReason(entry, config(), NOON + 179 * DAY), "");
    assert.equal(askReason(entry, config(), NOON + 181 * DAY), "expired");
  });
}

test("a refusal of an older version stands while only grants must be asked again", () => {
  const changed = config({ policy_version: 4, material_version: 4, refusal_material_version: 1 });
  assert.equal(askReason(refused(), changed, NOON), "");
  assert.equal(askReason(granted(), changed, NOON), "material");
});

test("a refusal is asked again when a purpose or recipient is new", () => {
  assert.equal(askReason(refused(), config({ refusal_material_version: 4 }), NOON), "material");
});

test("a choice that turned some purposes on lasts as long as a grant", () => {
  const mixed = granted({ p: { analytics: true, video: false } });
  const terms = config({ valid_days: 90, refusal_days: 180 });
  assert.equal(askReason(mixed, terms, NOON + 91 * DAY), "expired");
});

test("the server's own expiry shortens a grant, whatever this browser's clock says", () => {
  const short = granted({ b: { ...granted().b, expires_at: "2026-12-04T12:00:00Z" } });
  assert.equal(askReason(short, config(), NOON + 9 * DAY), "");
  assert.equal(askReason(short, config(), NOON + 11 * DAY), "expired");
  const ahead = granted({ d: dayOf(NOON + 4000 * DAY) });
  assert.equal(askReason(ahead, config(), NOON + 4001 * DAY), "");
});

test("a choice dated far in the future by a clock since put right is asked again", () => {
  assert.equal(askReason(granted({ d: "2090-01-01" }), config(), NOON), "expired");
});

test("nothing is granted by an expired, outdated or absent choice, or against the signal", () => {
  const none = { analytics: false };
  assert.deepEqual(grantsOf(granted(), config(), false, NOON), { analytics: true });
  assert.deepEqual(grantsOf(granted(), config(), true, NOON), none);
  assert.deepEqual(grantsOf(granted(), config(), false, NOON + 181 * DAY), none);
  const [purpose] = config().purposes;
  const outgrown = config({ material_version: 4, purposes: [{ ...purpose, material_version: 4 }] });
  assert.deepEqual(grantsOf(granted({ v: 3 }), outgrown, false, NOON), none);
  assert.deepEqual(grantsOf(null, config(), false, NOON), none);
});

test("what changed of one purpose leaves the choices of the others standing", () => {
  const purposes = [{ id: "analytics" }, { id: "ads", material_version: 4 }];
  const outgrown = config({ material_version: 4, purposes });
  const both = granted({ v: 3, p: { analytics: true, ads: true } });
  assert.deepEqual(grantsOf(both, outgrown, false, NOON), { analytics: true, ads: false });
  assert.deepEqual(grantsOf(both, outgrown, false, NOON + 181 * DAY), { analytics: false, ads: false });
});

test("only the literal true grants", () => {
  for (const value of [1, "true", "false", {}, null]) {
    assert.deepEqual(grantsOf(granted({ p: { analytics: value } }), config(), false, NOON), { analytics: false });
  }
});

test("the signal decides until something is granted in spite of it", () => {
  assert.equal(signalDecides(null, config(), true, NOON), true);
  assert.equal(signalDecides(granted(), config(), true, NOON), true);
  assert.equal(signalDecides(granted({ g: 1 }), config(), true, NOON), false);
  assert.equal(signalDecides(granted({ g: 1 }), config(), true, NOON + 181 * DAY), true);
  assert.equal(signalDecides(null, config(), false, NOON), false);
  assert.equal(signalDecides(null, config({ signals: { gpc: "ask" } }), true, NOON), false);
});

test("two browsers that refuse on one day store the same bytes", () => {
  const morning = refusal(config({ language: "fr" }), dayOf(Date.parse("2026-11-24T00:00:01Z")), "token");
  const evening = refusal(config({ language: "en" }), dayOf(Date.parse("2026-11-24T23:59:59Z")), "token");
  const expected = '{"p":{"analytics":false},"v":3,"d":"2026-11-24","t":"token"}';
  assert.equal(JSON.stringify(morning), expected);
  assert.equal(JSON.stringify(evening), expected);
});

test("a refusal that was not delivered says so and holds no token", () => {
  assert.equal(
    JSON.stringify(refusal(config(), "2026-11-24", undefined, 1)),
    '{"p":{"analytics":false},"v":3,"d":"2026-11-24","w":1}',
  );
});

test("what is not a choice is read as none", () => {
  for (const stored of [undefined, null, 1, "x", [], {}, { p: null, v: 1, d: "2026-11-24" }, { p: {}, v: "x", d: "2026-11-24" }, { p: {}, v: 1, d: "x" }]) {
    assert.equal(asEntry(stored) || null, null);
  }
});

test("the server's mirror says what was chosen, on which version and day", () => {
  const both = { p: { analytics: true, video: true }, v: 3, d: "2026-11-24", g: undefined };
  assert.deepEqual(fromMirror("3.analytics~video.2026-11-24.0"), both);
  assert.equal(fromMirror("3.analytics.2026-11-24.1").g, 1);
  const refused = fromMirror("3..2026-11-24.0");
  assert.equal(askReason(refused, config(), NOON + DAY), "");
  assert.deepEqual(grantsOf(refused, config(), false, NOON), { analytics: false });
  for (const other of ["", "x", "3", "3.analytics", "x.analytics.2026-11-24.0", "3.analytics.today.0"]) assert.equal(fromMirror(other), null);
});

const group = (version, ...purposes) => ({ version, purposes, reason: "", body: null, changes: [] });
/** Ads collect more since version 4, and nobody new receives it. */
const wider = (changes = {}) =>
  config({
    policy_version: 4,
    purposes: [{ id: "analytics" }, { id: "ads", material_version: 4 }],
    material_version: 4,
    asked_again: { reason: "", purposes: ["ads"], granted: [group(1, "ads")], refused: [] },
    ...changes,
  });
const mixed = (analytics, ads, v = 3) => granted({ v, p: { analytics, ads } });

test("who refused a purpose that only collects more stands, whatever else was granted", () => {
  assert.equal(allStands(mixed(true, false), wider()), true);
  assert.equal(allStands(mixed(true, true), wider()), false);
  assert.equal(allStands(mixed(false, true), wider()), false);
});

test("who refused a purpose with a new recipient, or never heard of it, is asked beside a grant of another", () => {
  const asked_again = { reason: "", purposes: ["ads"], granted: [group(1, "ads")], refused: [group(1, "ads")] };
  const shared = wider({ refusal_material_version: 4, asked_again });
  assert.equal(allStands(mixed(true, false), shared), false);
  assert.equal(allStands(granted({ p: { analytics: true } }), shared), false);
  assert.equal(allStands(mixed(true, false, 4), shared), true);
});

test("a recipient that was new before a choice does not ask it, and a choice older than all groups is asked", () => {
  const asked_again = { reason: "", purposes: ["ads"], granted: [group(3, "ads")], refused: [group(1, "ads")] };
  const later = wider({ refusal_material_version: 2, asked_again });
  assert.equal(allStands(mixed(true, false), later), true);
  assert.equal(allStands(mixed(true, false, 2), later), false);
});

test("a choice that is not asked grants nothing of what has grown since", () => {
  const spared = wider({ material_version: 3 });
  assert.equal(askReason(mixed(true, false), spared, NOON), "");
  assert.deepEqual(grantsOf(mixed(true, true), spared, false, NOON), { analytics: true, ads: false });
});
