// @ts-check
/**
 * Hold what loads from known hosts until its purpose is granted. A safety net for tags that others insert: an address is
 * looked at when it is given to an element, and again when the element arrives. Markup with `data-consent` is the guarantee.
 */

/** @typedef {import("../types.js").Hook} Hook */

/** @type {[string, "src" | "href"][]} */
const HELD = [["script", "src"], ["iframe", "src"], ["img", "src"], ["link", "href"]];

/** @type {Hook} */
export function holdByHost({ blocking = [] }, isGranted) {
  if (!blocking.length) return () => {};

  /** The purpose an address waits for, if it does. @param {unknown} address */
  const purposeOf = (address) => {
    let host = "";
    try {
      ({ hostname: host } = new URL(String(address), document.baseURI));
    } catch (_) {
      return;
    }
    const rule = blocking.find((each) =>
      each.host.startsWith("*.") ? `.${host}`.endsWith(each.host.slice(1)) : host === each.host);
    return rule && !isGranted(rule.purpose) ? rule.purpose : undefined;
  };

  /** @param {HTMLElement} element @param {string} name @param {unknown} address */
  const hold = (element, name, address) => {
    const purpose = purposeOf(address);
    if (!purpose) return false;
    element.dataset[name] = String(address);
    element.dataset.consent = purpose;
    if (element.localName === "script") {
      const script = /** @type {HTMLScriptElement} */ (element);
      if (script.type) script.dataset.type = script.type;
      script.type = "text/plain";
    }
    return true;
  };

  for (const [tag, name] of HELD) {
    const prototype = Object.getPrototypeOf(document.createElement(tag));
    const own = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(prototype, name));
    const set = /** @type {(value: unknown) => void} */ (own.set);
    Object.defineProperty(prototype, name, {
      ...own,
      set(value) {
        if (!hold(this, name, value)) set.call(this, value);
      },
    });
  }

  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (name, value) {
    const isHeld = HELD.some(([tag, attribute]) => tag === this.localName && attribute === name.toLowerCase());
    if (!isHeld || !hold(/** @type {HTMLElement} */ (this), name.toLowerCase(), value)) setAttribute.call(this, name, value);
  };

  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      addedNodes.forEach((node) => {
        const [, name] = HELD.find(([tag]) => tag === /** @type {Element} */ (node).localName) || [];
        const element = /** @type {HTMLElement} */ (node);
        if (name && element.getAttribute(name) && hold(element, name, element.getAttribute(name))) element.removeAttribute(name);
      });
  }).observe(document, { childList: true, subtree: true });
  return () => {};
}
