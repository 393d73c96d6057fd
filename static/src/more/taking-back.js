// @ts-check
/** Withdrawals: of everything by the page's own call, or of some purposes by a choice that keeps others. */
import { chosen, decide, follow, getConfig, getEntry, idsOf, inLine, keepable, post, previous, refuse, remember, uuid } from "./core.js";
import { mayRetry } from "../retry.js";

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
  return inLine(() => post("/v1/withdrawals", body, 3));
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
  if (Object.keys(purposes).some((id) => purposes[id] && !entry.p[id])) return decide(purposes, act);
  reload();
  return "saved";
}
