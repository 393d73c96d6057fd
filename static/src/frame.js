// @ts-check
/** Waiting until the visitor has seen what was just done. */

/** Resolve once the next frame is on the screen. @returns {Promise<void>} */
export const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
