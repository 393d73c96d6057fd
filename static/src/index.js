// @ts-check
/**
 * consent-service in the page.
 *
 * Until the visitor has chosen, this script sets no cookie and no storage key, asks the network for nothing but its own
 * configuration, keeps no event, and reads only the language, the privacy signal, the colour scheme and its own key.
 * Everything is drawn in a shadow root under one <consent-banner>; window.consent is the only name it adds to the page.
 */
import { current, receipt } from "./choice.js";
import { chooseLanguage } from "./language.js";
import { setting } from "./script.js";
import { isGranted, show, startSite, withdraw } from "./site.js";
import { track } from "./track.js";
import { get } from "./transport.js";

/** @typedef {import("./types.js").Config} Config */

const wanted = () => [setting("data-lang"), document.documentElement.lang, ...(navigator.languages || [])];

/** @param {string} site @param {string | null | undefined} language @returns {Promise<Config>} */
const fetchConfig = (site, language) =>
  get(`/v1/sites/${encodeURIComponent(site)}/banner${language ? `?lang=${encodeURIComponent(language)}` : ""}`);

/** @returns {Config | Promise<Config>} */
function findConfig() {
  if (typeof CONSENT_CONFIG !== "undefined") {
    const { banners, default_language } = CONSENT_CONFIG;
    return banners[chooseLanguage(wanted(), Object.keys(banners), default_language)];
  }
  const site = setting("data-site");
  if (!site) throw new Error("the tag has no data-site");
  const first = wanted().find((language) => language);
  return fetchConfig(site, first).then((config) => {
    // Asked for a language the site does not have, the service answers in the site's own; the visitor's next one may exist.
    const better = chooseLanguage(wanted(), config.languages || [], config.language);
    return better === config.language ? config : fetchConfig(site, better);
  });
}

function start() {
  /** @type {Set<(change: import("./types.js").Change) => void>} */
  const listeners = new Set();
  let isReady = false;

  /** @param {Config} config */
  const begin = (config) => {
    // Each listener on its own turn: one that throws must not keep the others from hearing.
    startSite(config, (change) => listeners.forEach((hear) => Promise.resolve(change).then(hear)));
    isReady = true;
  };

  const config = findConfig();
  /** @type {Promise<void>} */
  const ready = config instanceof Promise ? config.then(begin) : Promise.resolve(begin(config));
  ready.catch((error) => console.warn("consent: no banner, so nothing is granted:", error));

  window.consent = {
    granted: (purpose) => isReady && isGranted(purpose),
    decided: () => isReady && current().decided,
    on(name, hear) {
      if (name === "change") listeners.add(hear);
      return () => listeners.delete(hear);
    },
    show: () => void ready.then(show),
    withdraw: () => ready.then(withdraw),
    track,
    receipt: () => (isReady ? receipt() : null),
  };
}

// A second tag on the page, or a second copy, leaves the first alone.
if (!window.consent || typeof window.consent.granted !== "function") {
  try {
    if (!/^http/.test(location.protocol)) throw new Error(`pages under ${location.protocol} have no origin to decide for`);
    start();
  } catch (error) {
    console.warn("consent: not started:", error);
  }
}
