// @ts-check
/** What the tracker notices by itself: links that lead away, files, forms. Addresses without their query, no content. */
import { add, has, listen } from "./core.js";

const FILES = /\.(pdf|docx?|xlsx?|pptx?|od[tsp]|txt|csv|zip|rar|7z|gz|dmg|exe|msi|pkg|apk|epub|iso|mp[34]|m4a|wav|avi|mov|mkv)$/i;

/**
 * Watch for what the policy declares, and for nothing else.
 */
export function watchLinks() {
  /** @param {Event} event */
  const followed = ({ target }) => {
    const link = target instanceof Element && /** @type {HTMLAnchorElement | null} */ (target.closest("a[href]"));
    if (!link || !/^http/.test(link.protocol)) return;
    const name = FILES.test(link.pathname) ? "download" : link.host !== location.host ? "outbound" : "";
    if (name && has(name === "download" ? "downloads" : name)) add(name, { props: { url: link.origin + link.pathname } });
  };
  if (has("outbound") || has("downloads")) for (const name of ["click", "auxclick"]) listen(document, name, followed);
  if (has("forms"))
    listen(document, "submit", ({ target }) => {
      // A field named "id" would stand in the way of the property.
      const form = target.getAttribute("id") || target.getAttribute("name") || "";
      add("form", { props: { form: form.slice(0, 120) } });
    });
}
