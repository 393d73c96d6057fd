// @ts-check
/** The acts: refuse, grant, withdraw. Ending a grant takes effect here at once; a grant when the service has recorded it. */
import { chosen, config, eachPurpose, entry, follow, keepable, previous, refuse, remember, renew, signal } from "./choice.js";
import { painted } from "./frame.js";
import { load } from "./load.js";
import { mayRetry } from "./retry.js";
import { scriptHash } from "./script.js";
import { dayOf, idsOf } from "./state.js";
import { digest, post, uuid } from "./transport.js";

/**
 * @typedef {import("./types.js").Act} Act
 * @typedef {import("./types.js").Purposes} Purposes
 * @typedef {"saved" | "failed" | "" | undefined} Outcome what to say, "" to ask again, undefined where a later act overtook
 */

/** Requests go one after the other, so that the service sees the acts in the visitor's order. @type {Promise<any>} */
let line = Promise.resolve();

/** @template T @param {() => Promise<T>} step @returns {Promise<T>} */
export const inLine = (step) => (line = line.then(step, step));

/**
 * Send a choice. Evidence goes with grants alone: a refusal must not describe a browser.
 * @param {Purposes} purposes
 * @param {Act} act
 */
async function send(purposes, { rendered, ...act }) {
  const isGrant = idsOf(purposes)[0];
  return post("/v1/decisions", {
    site: config.site,
    action: !isGrant ? "refuse_all" : config.purposes.every(({ id }) => purposes[id]) ? "accept_all" : "save",
    purposes,
    policy_version: config.policy_version,
    banner_hash: config.banner_hash,
    language: config.language,
    previous: previous(),
    idempotency_key: uuid(),
    ...act,
    signals: { gpc: signal },
    asked: config.asked,
    script_hash: isGrant && scriptHash(),
    rendered_hash: rendered && (await digest(rendered)),
  });
}

/**
 * Make a choice.
 * @param {Purposes} purposes
 * @param {Act} act
 * @returns {Promise<Outcome>}
 */
export async function decide(purposes, act) {
  const endsNothing = !idsOf(chosen())[0];
  // All of this takes longer than the banner takes to go, and the network longer still: the frame without it comes first.
  if (endsNothing) await painted();
  follow();
  purposes = eachPurpose((id) => purposes[id]);
  const isGrant = idsOf(purposes)[0];
  const off = idsOf(chosen()).filter((id) => !purposes[id]);
  if (!isGrant) refuse(previous(), 1);
  else if (entry && off[0]) {
    remember({ ...entry, p: eachPurpose((id) => purposes[id] && chosen()[id]), w: off });
    return (await load())[3](purposes, act);
  }
  const mine = entry;
  if (!endsNothing) await painted();
  const answer = await inLine(() => send(purposes, act));
  const { token, error = {}, ...rest } = answer.body;
  if (entry !== mine) {
    // The visitor has changed their mind since: the refusal that waits in line takes back what was just granted.
    if (entry && entry.w) entry.t = keepable(token) || entry.t;
    return;
  }
  if (!isGrant) {
    // Refused for good is as final as delivered: asking on every page would change nothing.
    if (!mayRetry(answer)) refuse(keepable(token));
    if (off[0] && config.after_withdrawal === "reload") location.reload();
    return "saved";
  }
  if (!token) {
    if (error.code !== "policy_outdated") return "failed";
    renew(error.config);
    return "";
  }
  remember({ p: rest.purposes, v: rest.policy_version, d: dayOf(), t: keepable(token), b: rest, g: signal ? 1 : undefined });
  return "saved";
}

/** Take everything back; gives the service's answer, or null when it could not be reached or nothing was granted. */
export const withdraw = () =>
  load().then(
    (more) => more[4](),
    () => decide({}, { mechanism: "api", layer: 1 }).then(() => null),
  );

/** Obey a refusal of the gate. @param {string} code */
export function obey(code) {
  if (/^token|outdated/.test(code)) remember(null);
  else if (/withdrawn|purpose/.test(code)) refuse();
}
