// @ts-check
/** For how long the page is looked at, in front and with the focus, and how far down. */
import { add, listen } from "./core.js";

const LEAST = 1000;

/**
 * Watch one page after the other; the returned function ends a page.
 * @returns {() => void}
 */
export function watchReading() {
  let since = 0;
  let engaged = 0;
  let scroll = 0;
  let told = 0;

  const look = () => {
    const now = performance.now();
    if (since) engaged += now - since;
    since = document.hidden || !document.hasFocus() ? 0 : now;
  };
  const down = () => {
    const { scrollHeight } = document.documentElement;
    scroll = Math.max(scroll, Math.min(100, Math.round(((scrollY + innerHeight) / scrollHeight) * 100)));
  };

  for (const name of ["focus", "blur"]) listen(window, name, look);
  listen(document, "visibilitychange", look);
  listen(document, "scroll", down);
  look();
  down();
  return () => {
    look();
    if (engaged >= LEAST || scroll > told) add("engagement", { engaged_ms: Math.round(engaged), scroll });
    told = scroll;
    engaged = 0;
  };
}
