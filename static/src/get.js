// @ts-check
/** Asking for a document. */

/** Fetch it without credentials. @param {string} address */
export const get = (address) =>
  fetch(address, { credentials: "omit" }).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
