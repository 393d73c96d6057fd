// @ts-check
/** What joins the core where a site asks for it: the consent signals of other tools, and rules that hold their tags. */
import { googleConsent, microsoftConsent } from "./consent-mode.js";
import { holdByHost } from "./hold.js";

/** @type {any} */ (CONSENT_HOOKS).push(googleConsent, microsoftConsent, holdByHost);
