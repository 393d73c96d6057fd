// @ts-check
/**
 * What the client fetches when it is needed: the preference centre, what stands in the place of waiting frames, the
 * taking back of what was granted, and the rest of the tracker.
 */
import { follower } from "./follow.js";
import { actor, fetchWhole } from "./preferences.js";
import { turnOff, withdraw } from "./taking-back.js";
import { makeWatch } from "./watch.js";

const tag = /** @type {HTMLScriptElement & {consent_: (part: import("../types.js").Part) => void}} */ (document.currentScript);

tag.consent_((core) => {
  core.extend_(makeWatch(core));
  return {
    act_: actor(core),
    explain_: (text) => fetchWhole(core).then(({ texts }) => core.note_(texts[text])),
    follow_: follower(core),
    turnOff_: (purposes, act) => turnOff(core, purposes, act),
    withdraw_: () => withdraw(core),
  };
});
