// @ts-check
/** The acts: refuse, grant, withdraw. Ending a grant takes effect here at once; a grant when the service has recorded it. */
import { chosen, config, end, entry, granted, keepable, remember, renew, reread, signal, today } from "./choice.js";
import { sendDecision, sendWithdrawal } from "./decision.js";
import { mayRetry } from "./queue.js";
import { each, refusal } from "./state.js";

/**
 * @typedef {import("./types.js").Act} Act
 * @typedef {import("./types.js").Purposes} Purposes
 * @typedef {"saved" | "outdated" | "overtaken" | "failed"} Outcome
 */

/** A token that arrived after the visitor had changed their mind. @type {string | undefined} */
let late;
let turn = 0;
/** Requests go one after the other, so that the service sees the acts in the visitor's order. @type {Promise<any>} */
let line = Promise.resolve();

/** @template T @param {() => Promise<T>} step @returns {Promise<T>} */
const inLine = (step) => (line = line.then(step, step));

/** The id-free token of a refusal is never sent back: a grant after it starts anew. */
function previous() {
  return late || (entry && (entry.r || entry.w) && entry.t) || null;
}

/** @param {1 | 2} unsent */
const refused = (unsent) =>
  refusal(config, config.policy_version, today(), previous() || undefined, unsent);

/**
 * Send what the service has not acknowledged yet; keep it for the next page when that fails.
 * @param {Act} act
 */
async function deliver(act) {
  const sent = entry;
  if (!sent || !sent.w) return null;
  const some = typeof sent.w === "object" ? sent.w : null;
  const answer =
    sent.w === 1
      ? await sendDecision(config, sent.p, act, previous(), signal)
      : await sendWithdrawal(config, previous(), some, act.mechanism);
  // Refused for good is as final as delivered: asking on every page would change nothing.
  if (mayRetry(answer) || entry !== sent) return null;
  if (some) remember({ ...sent, w: undefined });
  else remember(refusal(config, sent.v, sent.d, keepable(answer.body.token)));
  late = undefined;
  return answer;
}

/** @param {Purposes} purposes @param {Act} act @param {number} mine @returns {Promise<Outcome>} */
async function grant(purposes, act, mine) {
  const { status, body, code } = await sendDecision(config, purposes, act, previous(), signal);
  if (status !== 201) {
    if (code !== "policy_outdated" || !body.error.config) return "failed";
    renew(body.error.config);
    return "outdated";
  }
  const token = keepable(body.token);
  if (mine !== turn) {
    late = token;
    if (entry && entry.w) remember({ ...entry, t: token });
    return "overtaken";
  }
  late = undefined;
  remember({
    p: body.purposes,
    v: body.policy_version,
    d: today(),
    t: token,
    r: body.receipt_id,
    a: body.decided_at,
    e: body.expires_at,
    g: signal ? 1 : undefined,
  });
  return "saved";
}

/**
 * Make a choice.
 * @param {Purposes} purposes
 * @param {Act} act
 * @returns {Promise<Outcome>}
 */
export function decide(purposes, act) {
  reread();
  const mine = ++turn;
  const before = entry;
  const owed = entry && entry.w;
  const off = granted().filter((id) => !purposes[id]);
  if (!config.purposes.some(({ id }) => purposes[id])) {
    end(off, refused(1));
    inLine(() => deliver(act));
    return Promise.resolve("saved");
  }
  if (before && off.length) {
    const kept = each(config, (id) => !off.includes(id) && chosen()[id]);
    end(off, { ...before, p: kept, w: off.concat(typeof owed === "object" && owed ? owed : []) });
  }
  return inLine(async () => {
    // What an earlier act turned off must be off at the service before anything new is on.
    if (owed) {
      await deliver(act);
      if (entry && entry.w) return "failed";
    }
    const outcome = await grant(purposes, act, mine);
    if (outcome !== "saved") await deliver(act);
    return outcome;
  });
}

/**
 * Take everything back; resolves to the service's answer, or to null when it could not be reached or nothing was granted.
 * @param {"api" | "preferences"} mechanism
 */
export async function withdraw(mechanism) {
  reread();
  const given = granted();
  if (!given.length) return null;
  turn++;
  end(given, refused(2));
  const answer = await inLine(() => deliver({ mechanism, layer: 1 }));
  if (config.after_withdrawal === "reload") location.reload();
  return answer && answer.status === 200 ? answer.body : null;
}

/** Deliver what an earlier page could not. */
export const resume = () => inLine(() => deliver({ mechanism: "banner", layer: 1 }));

/**
 * Obey a refusal of the gate.
 * @param {string} code
 * @param {string} measuring
 */
export function obey(code, measuring) {
  if (!entry) return;
  if (/^token_/.test(code)) remember(null);
  else if (code === "policy_outdated") remember({ ...entry, v: 0 });
  else if (code === "withdrawn") end(granted(), refusal(config, entry.v, today(), undefined));
  else if (code === "purpose_refused") end([measuring], { ...entry, p: { ...entry.p, [measuring]: false } });
}
