// @ts-check
/**
 * Tell Google's and Microsoft's tags what is granted. Basic mode: everything is denied before any tag runs, one update
 * follows each choice, and nothing is sent by the tags until they are released.
 */

/** @typedef {import("../types.js").Hook} Hook */

const GOOGLE = [
  "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
  "functionality_storage", "personalization_storage", "security_storage",
];

/**
 * Say the state of some types, granted or denied, whenever it has changed.
 * @param {{[purpose: string]: string[]}} map the types that each purpose grants
 * @param {string[]} types
 * @param {(purpose: string) => boolean} isGranted
 * @param {(words: "default" | "update", state: {[type: string]: string}) => void} say
 * @param {() => boolean} [isRefused] where denied is not the default everywhere, a refusal must be said too
 */
function teller(map, types, isGranted, say, isRefused = () => false) {
  let told = "";
  let isUpdated = false;
  const state = (/** @type {(purpose: string) => boolean} */ granted) => {
    const on = Object.keys(map).filter(granted).reduce((all, id) => all.concat(map[id]), /** @type {string[]} */ ([]));
    /** @type {{[type: string]: string}} */
    const said = {};
    for (const type of types) said[type] = on.includes(type) ? "granted" : "denied";
    return said;
  };
  return (/** @type {boolean} */ isFirst) => {
    if (isFirst) {
      const denied = state(() => false);
      told = JSON.stringify(denied);
      say("default", denied);
    }
    const now = state(isGranted);
    if (JSON.stringify(now) === told && (isUpdated || !isRefused())) return;
    isUpdated = true;
    told = JSON.stringify(now);
    say("update", now);
  };
}

/** @type {Hook} */
export function googleConsent({ consent_mode, consent_mode_regions: region = [] }, isGranted, isDecided) {
  if (!consent_mode || !Object.keys(consent_mode).length) return () => {};
  const layer = (window.dataLayer = window.dataLayer || []);
  // Google's tags look for the arguments object itself.
  function gtag() {
    layer.push(arguments);
  }
  const say = (/** @type {string} */ words, /** @type {{[type: string]: string}} */ state) => {
    const where = words === "default" && region.length ? { region } : {};
    /** @type {any} */ (gtag)("consent", words, { ...state, ...where });
  };
  return teller(consent_mode, GOOGLE, isGranted, say, () => !!region.length && isDecided());
}

/** @type {Hook} */
export function microsoftConsent({ uet = {}, clarity = {} }, isGranted) {
  const tell = [
    !!Object.keys(uet).length &&
      teller(uet, ["ad_storage"], isGranted, (words, state) => {
        window.uetq = window.uetq || [];
        window.uetq.push("consent", words, state);
      }),
    !!Object.keys(clarity).length &&
      teller(clarity, ["ad_storage", "analytics_storage"], isGranted, (_, { ad_storage, analytics_storage }) => {
        const queue = window.clarity || function () {
          (queue.q = queue.q || []).push(arguments);
        };
        window.clarity = queue;
        queue("consentv2", { ad_Storage: ad_storage, analytics_Storage: analytics_storage });
      }),
  ];
  return (isFirst) => tell.forEach((each) => each && each(isFirst));
}
