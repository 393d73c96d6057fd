// @ts-check
/** When and whether to try again. Pure. */

/** Return the pause after a number of failures in a row, in milliseconds. @param {number} failures */
export const backoff = (failures) => Math.min(1000 * 2 ** (failures - 1), 60000);

/** Tell whether the same request may succeed later. @param {import("./types.js").Answer} answer */
export const mayRetry = ({ status }) => !status || status === 429 || status > 499;
