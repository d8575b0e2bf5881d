// Elements, made without markup: every text becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a text child is text, and null is left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A shape of the page's sprite. Shapes are never without a word beside them. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A text that may break behind each slash. */
export function breakable(text) {
  const parts = text.split(/(?<=\/)/);
  return parts.flatMap((part, at) => (at + 1 < parts.length ? [part, document.createElement("wbr")] : [part]));
}

export const byId = (id) => document.getElementById(id);

/** Replaces the children of an element, unless they would be the same: a screen reader repeats what is replaced. */
export function show(element, ...children) {
  const fresh = el("div", {}, ...children);
  if (fresh.isEqualNode(el("div", {}, ...[...element.childNodes].map((node) => node.cloneNode(true))))) return;
  element.replaceChildren(...fresh.childNodes);
}
