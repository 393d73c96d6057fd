// @ts-check
/** Withdrawals: of everything by the page's own call, or of some purposes by a choice that keeps others. */
import { chosen, decide, follow, getConfig, getEntry, idsOf, inLine, keepable, mayRetry, post, previous, refuse, remember, uuid } from "./core.js";

/** Between two tries, in milliseconds. */
const PAUSE = 2000;

/**
 * @typedef {import("../types.js").Purposes} Purposes
 */

/**
 * Send a withdrawal; erasing what was collected is always part of it.
 * @param {string | undefined} token none where the server's cookie carries it
 * @param {string[] | null} purposes null for all
 * @param {"api" | "preferences"} mechanism
 */
function send(token, purposes, mechanism) {
  const { site, language } = getConfig();
  const body = { site, token, purposes, erase: true, idempotency_key: uuid(), mechanism, language };
  return inLine(() => insist(body, 3));
}

/**
 * Nobody sees whether a withdrawal has arrived, so it is tried again at once; what fails then is owed to the next page.
 * @param {object} body
 * @param {number} tries
 * @returns {Promise<import("../types.js").Answer>}
 */
async function insist(body, tries) {
  const answer = await post("/v1/withdrawals", body);
  if (tries < 2 || !mayRetry(answer)) return answer;
  await new Promise((done) => setTimeout(done, PAUSE));
  return insist(body, tries - 1);
}

const reload = () => getConfig().after_withdrawal === "reload" && location.reload();

/** Withdraw everything; gives the service's answer, or null when it could not be reached. */
export async function withdraw() {
  follow();
  if (!idsOf(chosen())[0]) return null;
  const token = previous();
  refuse(token, 1);
  const mine = getEntry();
  const answer = await send(token, null, "api");
  // Refused for good is as final as delivered: asking on every page would change nothing.
  if (getEntry() === mine && !mayRetry(answer)) refuse(keepable(answer.body.token));
  reload();
  return answer.status === 200 ? answer.body : null;
}

/**
 * Withdraw the purposes that are owed to the service, then grant what is new.
 * @param {Purposes} purposes
 * @param {import("../types.js").Act} act
 */
export async function turnOff(purposes, act) {
  const entry = getEntry();
  if (!entry || !Array.isArray(entry.w)) return "saved";
  const answer = await send(previous(), entry.w, "preferences");
  if (getEntry() !== entry) return undefined;
  if (mayRetry(answer)) return "failed";
  remember({ ...entry, w: undefined });
  // Who was asked again has answered about what is new, whatever is taken back with it.
  if (Object.keys(purposes).some((id) => purposes[id] && !entry.p[id]) || (act.evidence && entry.v < getConfig().policy_version)) return decide(purposes, act);
  reload();
  return "saved";
}
