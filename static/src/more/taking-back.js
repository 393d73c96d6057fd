// @ts-check
/** Withdrawals: of everything by the page's own call, or of some purposes by a choice that keeps others. */
import { mayRetry } from "../retry.js";

/**
 * @typedef {import("../types.js").Core} Core
 * @typedef {import("../types.js").Purposes} Purposes
 */

/**
 * Send a withdrawal; erasing what was collected is always part of it.
 * @param {Core} core
 * @param {string | undefined} token none where the server's cookie carries it
 * @param {string[] | null} purposes null for all
 * @param {"api" | "preferences"} mechanism
 */
function send(core, token, purposes, mechanism) {
  const { site, language } = core.config_();
  const body = { site, token, purposes, erase: true, idempotency_key: core.uuid_(), mechanism, language };
  return core.inLine_(() => core.post_("/v1/withdrawals", body, 3));
}

/** @param {Core} core */
const reload = (core) => core.config_().after_withdrawal === "reload" && location.reload();

/** Withdraw everything; gives the service's answer, or null when it could not be reached. @param {Core} core */
export async function withdraw(core) {
  core.follow_();
  if (!core.ids_(core.chosen_())[0]) return null;
  const token = core.previous_();
  core.remember_(core.refusal_(core.config_(), core.today_(), token, 1));
  const mine = core.entry_();
  const answer = await send(core, token, null, "api");
  // Refused for good is as final as delivered: asking on every page would change nothing.
  if (core.entry_() === mine && !mayRetry(answer))
    core.remember_(core.refusal_(core.config_(), core.today_(), core.keepable_(answer.body.token)));
  reload(core);
  return answer.status === 200 ? answer.body : null;
}

/**
 * Withdraw the purposes that are owed to the service, then grant what is new.
 * @param {Core} core
 * @param {Purposes} purposes
 * @param {import("../types.js").Act} act
 */
export async function turnOff(core, purposes, act) {
  const entry = core.entry_();
  if (!entry || !Array.isArray(entry.w)) return "saved";
  const answer = await send(core, core.previous_(), entry.w, "preferences");
  if (core.entry_() !== entry) return undefined;
  if (mayRetry(answer)) return "failed";
  core.remember_({ ...entry, w: undefined });
  if (Object.keys(purposes).some((id) => purposes[id] && !entry.p[id])) return core.decide_(purposes, act);
  reload(core);
  return "saved";
}
