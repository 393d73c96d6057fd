// @ts-check
/** Making of elements. Text goes in as text: nothing the server sends is ever read as markup. Pure. */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{[attribute: string]: string}} attributes
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(.../** @type {(Node | string)[]} */ (children.filter(Boolean)));
  return element;
}
