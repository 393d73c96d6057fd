// @ts-check
/** Waiting until the visitor has seen what was just done. */

/** Resolve once the next frame is on the screen; at once where nobody looks, since there no frame comes. @returns {Promise<void>} */
export const painted = () =>
  new Promise((done) => (document.hidden ? done() : requestAnimationFrame(() => setTimeout(done))));
