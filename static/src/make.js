// @ts-check
/** Making of elements. Text goes in as text: nothing the server sends is ever read as markup. Pure. */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} tag
 * @param {{[attribute: string]: string}} attributes
 * @param {(Node | string | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(.../** @type {(Node | string)[]} */ (children.filter(Boolean)));
  return element;
}
