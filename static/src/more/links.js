// @ts-check
/** What the tracker notices by itself: links that lead away, files, forms. Addresses without their query, no content. */

const FILES = /\.(pdf|docx?|xlsx?|pptx?|od[tsp]|txt|csv|zip|rar|7z|gz|dmg|exe|msi|pkg|apk|epub|iso|mp[34]|m4a|wav|avi|mov|mkv)$/i;

/**
 * Watch for what the policy declares, and for nothing else.
 * @param {import("../types.js").Core} core
 */
export function watchLinks({ has_, listen_, add_ }) {
  /** @param {Event} event */
  const followed = ({ target }) => {
    const link = target instanceof Element && /** @type {HTMLAnchorElement | null} */ (target.closest("a[href]"));
    if (!link || !/^http/.test(link.protocol)) return;
    const name = FILES.test(link.pathname) ? "download" : link.host !== location.host ? "outbound" : "";
    if (name && has_(name === "download" ? "downloads" : name)) add_(name, { props: { url: link.origin + link.pathname } });
  };
  if (has_("outbound") || has_("downloads")) for (const name of ["click", "auxclick"]) listen_(document, name, followed);
  if (has_("forms"))
    listen_(document, "submit", ({ target }) => {
      // A field named "id" would stand in the way of the property.
      const form = target.getAttribute("id") || target.getAttribute("name") || "";
      add_("form", { props: { form: form.slice(0, 120) } });
    });
}
