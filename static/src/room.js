// @ts-check
/** Room for a bar: what has the focus, and the page's last line, must never be hidden under it, and nothing may move. */
import { construct } from "./styles.js";

/**
 * Keep the page clear of a panel until the returned function is called. The page's own elements stay as they are:
 * a sheet adds scroll padding, and a box out of the flow that lengthens the page below its end.
 * @param {HTMLElement} panel
 * @returns {() => void}
 */
export function makeRoom(panel) {
  const sheet = construct("");
  if (!sheet) return () => {};
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  const measure = () => {
    const covered = Math.ceil(innerHeight - panel.getBoundingClientRect().top) + 8;
    sheet.replaceSync("");
    const end = document.documentElement.scrollHeight;
    const bottom = document.body.getBoundingClientRect().bottom + scrollY;
    const spacer =
      bottom + covered > innerHeight
        ? `html::after{content:"";position:absolute;top:${end}px;left:0;width:1px;height:${covered}px;visibility:hidden}`
        : "";
    sheet.replaceSync(`html{scroll-padding-bottom:${covered}px!important}${spacer}`);
  };

  measure();
  const observer = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(measure);
  if (observer) [document.body, panel].forEach((element) => observer.observe(element));

  return () => {
    if (observer) observer.disconnect();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}
