// @ts-check
/** The two documents that tell the service what a visitor chose. */
import { insist, uuid } from "./transport.js";

/**
 * @typedef {import("./types.js").Act} Act
 * @typedef {import("./types.js").Config} Config
 * @typedef {import("./types.js").Purposes} Purposes
 */

/** @param {string} text @returns {Promise<string | undefined>} */
async function sha256(text) {
  try {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(digest), (byte) => (byte + 256).toString(16).slice(1)).join("");
  } catch (_) {
    return undefined;
  }
}

/**
 * Send a choice. Evidence goes with grants alone: a refusal must not describe a browser.
 * @param {Config} config
 * @param {Purposes} purposes
 * @param {Act} act
 * @param {string | null} previous
 * @param {boolean | undefined} signal undefined where the site does not look at it
 */
export async function sendDecision(config, purposes, act, previous, signal) {
  const asked = config.purposes.map(({ id }) => id);
  const granted = asked.filter((id) => purposes[id]).length;
  const body = {
    site: config.site,
    action: !granted ? "refuse_all" : granted === asked.length ? "accept_all" : "save",
    purposes,
    policy_version: config.policy_version,
    banner_hash: config.banner_hash,
    language: config.language,
    previous,
    idempotency_key: uuid(),
    mechanism: act.mechanism,
    layer: act.layer,
    asked,
    signals: signal === undefined ? undefined : { gpc: signal },
  };
  const evidence = granted && act.evidence ? { evidence: act.evidence, rendered_hash: await sha256(act.rendered || "") } : {};
  return insist("/v1/decisions", { ...body, ...evidence });
}

/**
 * Send a withdrawal; erasing what was collected is always part of it.
 * @param {Config} config
 * @param {string | null} token null where the server's cookie carries it
 * @param {string[] | null} purposes null for all
 * @param {string} mechanism
 */
export const sendWithdrawal = (config, token, purposes, mechanism) =>
  insist("/v1/withdrawals", {
    site: config.site,
    token,
    purposes,
    erase: true,
    idempotency_key: uuid(),
    mechanism,
    language: config.language,
  });
