// @ts-check
/** Making of elements. Text goes in as text: nothing the server sends is ever read as markup. Pure. */

/**
 * Make an element; an attribute that is null is left out.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{[attribute: string]: string | null | undefined}} attributes
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) element.setAttribute(key, value);
  element.append(.../** @type {(Node | string)[]} */ (children.filter(Boolean)));
  return element;
}
