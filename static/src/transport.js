// @ts-check
/** Requests to the service. They never carry a cookie to a foreign origin and never wait longer than the limit. */
import { backoff, mayRetry } from "./queue.js";
import { origin } from "./script.js";

/** @typedef {import("./types.js").Answer} Answer */

const LIMIT = 10000;
const ATTEMPTS = 3;
const credentials = origin === location.origin ? "same-origin" : "omit";

/** @param {number} ms @returns {Promise<any>} */
const after = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Post a document once. Text, so that no preflight is needed; kept alive, so that a closing page does not lose it.
 * @param {string} path
 * @param {object} body
 * @returns {Promise<Answer>}
 */
export async function post(path, body) {
  try {
    const response = await Promise.race([
      fetch(origin + path, { method: "POST", body: JSON.stringify(body), credentials, keepalive: true, referrerPolicy: "origin" }),
      after(LIMIT).then(() => Promise.reject()),
    ]);
    const answer = await response.json().catch(() => ({}));
    const { code } = answer.error || {};
    return { status: response.status, body: answer, code: code || "", wait: Number(response.headers.get("Retry-After")) || 0 };
  } catch (_) {
    return { status: 0, body: {}, code: "", wait: 0 };
  }
}

/**
 * Post a document until it is answered, a few times.
 * @param {string} path
 * @param {object} body
 */
export async function insist(path, body) {
  for (let attempt = 1; ; attempt++) {
    const answer = await post(path, body);
    if (!mayRetry(answer) || attempt === ATTEMPTS) return answer;
    await after(Math.min(answer.wait * 1000, 60000) || backoff(attempt));
  }
}

/**
 * Hand a document to the browser while the page goes away.
 * @param {string} path
 * @param {object} body
 */
export function leave(path, body) {
  // A beacon always takes cookies along; to a foreign origin only a kept-alive request can leave them at home.
  if (credentials === "omit" && "keepalive" in Request.prototype) post(path, body);
  else navigator.sendBeacon(origin + path, JSON.stringify(body));
}

/** Fetch a document without credentials. @param {string} path */
export const get = (path) => fetch(origin + path, { credentials: "omit", referrerPolicy: "origin" }).then((answer) => answer.json());

/** Make a random UUID, also where the page is not a secure context. */
export const uuid = () =>
  "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (+digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (+digit / 4)))).toString(16),
  );
