// @ts-check
/**
 * consent-service in the page.
 *
 * Until the visitor has chosen, this script sets no cookie and no storage key, asks the network for nothing but its own
 * files, keeps no event, and reads only the language, the privacy signal, the colour scheme and its own key.
 * Everything is drawn in a shadow root under one <consent-banner>; window.consent is the only name it adds to the page.
 */
import { withdraw } from "./acts.js";
import { current, isGranted, receipt } from "./choice.js";
import { get } from "./get.js";
import { chooseLanguage } from "./language.js";
import { fetchPart } from "./load.js";
import { base, setting } from "./script.js";
import { show, startSite } from "./site.js";
import { write } from "./store.js";
import { before, track } from "./track.js";
import { hide, panel } from "./view.js";

/** @typedef {import("./types.js").Config} Config */

const wanted = () => [setting("data-lang"), document.documentElement.lang, ...(navigator.languages || [])];

/** The config that came with this script, in the visitor's language. @returns {Config} */
function ownConfig() {
  const [common, banners, fallback, aliases = {}] = CONSENT_CONFIG;
  const language = chooseLanguage(wanted(), banners, aliases, fallback);
  return /** @type {Config} */ (Object.assign({ language, signals: {} }, common, banners[language]));
}

/** @returns {Promise<Config>} */
function fetchConfig() {
  const site = setting("data-site");
  if (!site) throw new Error("the tag has no data-site");
  const tags = wanted().filter(Boolean).join(",");
  return get(`${base}/v1/sites/${encodeURIComponent(site)}/banner?lang=${encodeURIComponent(tags)}`);
}

/** Say why this page cannot decide, "" when it can. */
function obstacle() {
  if (self.origin === "null") return "no origin";
  // The flash is written so that the script stays in one byte a character, which takes half the memory.
  return document.documentElement.matches("[amp],[\\26a1]") ? "AMP" : "";
}

/** @returns {import("./types.js").PageApi} */
function start() {
  /** @type {Set<(change: import("./types.js").Change) => void>} */
  const listeners = new Set();
  /** @param {Config} config */
  const begin = (config) =>
    // Each listener on its own turn: one that throws must not keep the others from hearing.
    startSite(config, (change) => listeners.forEach((hear) => setTimeout(hear, 0, change)));
  const ready = IS_BUNDLE
    ? Promise.resolve(begin(ownConfig()))
    : fetchConfig().then(async (config) => {
        if (config.asked_again || config.coverage) CONSENT_HOOKS.push(...(await fetchPart("extra", EXTRA_INTEGRITY).catch(() => [])));
        return begin(config);
      });
  if (!IS_BUNDLE) ready.catch((error) => console.warn("consent: no banner, so nothing is granted:", error));

  return {
    granted: isGranted,
    decided: () => current().decided,
    on(name, hear) {
      const heard = name === "before" ? before : listeners;
      heard.add(hear);
      return () => heard.delete(hear);
    },
    show: IS_BUNDLE ? show : () => void ready.then(show),
    withdraw: () =>
      ready.then(() => {
        if (panel) hide();
        return withdraw();
      }),
    track,
    receipt,
    optOut: (out) => write("out", out),
  };
}

// A second tag on the page, or a second copy, leaves the first alone.
if (!window.consent || !window.consent.granted) {
  const reason = obstacle();
  if (reason) console.warn("consent: not started:", reason);
  else window.consent = start();
}
