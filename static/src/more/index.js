// @ts-check
/**
 * What the client fetches when it is needed: the preference centre, what stands in the place of waiting frames, the
 * taking back of what was granted, and the rest of the tracker.
 */
import { borrow, extend, note } from "./core.js";
import { goOn } from "./follow.js";
import { act, fetchWhole } from "./preferences.js";
import { turnOff, withdraw } from "./taking-back.js";
import { watch } from "./watch.js";

/** @typedef {import("../types.js").More} More */

const tag = /** @type {HTMLScriptElement & {consent: (part: import("../types.js").Part) => void}} */ (document.currentScript);

tag.consent((core) => {
  borrow(core);
  extend(watch);
  return [act, (text) => fetchWhole().then(({ texts }) => note(texts[text])), goOn, turnOff, withdraw];
});
