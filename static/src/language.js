// @ts-check
/** Which of the site's languages the banner speaks. Pure. */

/**
 * Choose the first wanted language the site has, by full tag, then by primary subtag; the fallback when it has none.
 * @param {(string | null | undefined)[]} wanted in order of preference
 * @param {string[]} available
 * @param {string} fallback
 */
export function chooseLanguage(wanted, available, fallback) {
  for (const tag of wanted) {
    if (!tag) continue;
    const exact = tag.toLowerCase();
    const primary = exact.split(/[-_]/)[0];
    const match =
      available.find((language) => language.toLowerCase() === exact) ||
      available.find((language) => language.toLowerCase().split("-")[0] === primary);
    if (match) return match;
  }
  return fallback;
}
