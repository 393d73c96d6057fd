// @ts-check
/** Which of the site's languages the banner speaks. Pure. */

/**
 * Choose the first wanted language that the site has: by the whole tag, then by less and less of it (RFC 4647, lookup).
 * @param {(string | null | undefined)[]} wanted tags in order of preference
 * @param {{[tag: string]: unknown}} banners what the site has, by its own tags
 * @param {{[tag: string]: string}} aliases by tags in lower case, what serves them where that is not the tag itself
 * @param {string} fallback
 */
export function chooseLanguage(wanted, banners, aliases, fallback) {
  for (const tag of wanted)
    for (let key = (tag || "").toLowerCase().replace("_", "-"); key; key = key.replace(/-?[^-]*$/, "")) {
      if (banners[key]) return key;
      if (aliases[key]) return aliases[key];
    }
  return fallback;
}
