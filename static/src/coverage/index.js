// @ts-check
/** Joins the core where a site counts how often its banner is shown: one count a page, of nobody in particular. */
import { base, borrow, getConfig, getPanel, root } from "../more/core.js";
import { standing } from "../again/standing.js";

CONSENT_HOOKS.push((config, _isGranted, _isDecided, core) => {
  borrow(core());
  const watch = new MutationObserver(() => {
    const { reason, bySignal } = standing();
    if (!getPanel() || !reason || bySignal) return;
    watch.disconnect();
    const { site, language, banner_hash } = getConfig();
    // No cookie, no page, nothing of the browser: what is sent is the same for all who see this banner.
    fetch(`${base}/v1/shown`, {
      method: "POST",
      body: JSON.stringify({ site, language, banner_hash }),
      credentials: "omit",
      referrerPolicy: "no-referrer",
      keepalive: true,
    }).catch(() => {});
  });
  // A pinned script has every part; whether the site counts is in its config.
  if (config.coverage) watch.observe(root, { childList: true });
  return () => {};
});
