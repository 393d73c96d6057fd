// @ts-check
/** Making of elements. Text goes in as text: nothing the server sends is ever read as markup. */

/**
 * Make an element; an attribute that is null is left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{[attribute: string]: string | null | undefined}} attributes
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (value != null) element.setAttribute(key, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * Make a button that acts.
 * @param {string} action
 * @param {string} label
 * @param {string} look
 */
export const button = (action, label, look) => make("button", { type: "button", class: look, "data-action": action }, label);

/** Tell whether an element is there to be seen. @param {Element} element */
export const isVisible = (element) => !!element.getClientRects().length && getComputedStyle(element).visibility === "visible";
