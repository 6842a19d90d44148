import { styleNonce } from "../nonce.ts";

function createElement(name: string): HTMLElement {
  const element = document.createElement(name);
  if (name === "style") element.nonce = styleNonce();
  return element;
}

/** This page's document, whose new style sheets bear the nonce that the page's policy wants. */
export function styledDocument(): Document {
  return new Proxy(document, {
    get: (target, name) => {
      if (name === "createElement") return createElement;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/**
 * Has spans take a style attribute as properties, which the page's policy allows, rather than as the attribute, which it
 * refuses: xterm.js colours its cells so (`_addStyle` in `DomRendererRowFactory.ts`), by whichever document it is given.
 */
export function styleSpansByProperties(): void {
  Object.defineProperty(HTMLSpanElement.prototype, "setAttribute", {
    configurable: true,
    writable: true,
    value(this: HTMLSpanElement, name: string, value: string): void {
      if (name === "style") this.style.cssText = value;
      else Element.prototype.setAttribute.call(this, name, value);
    },
  });
}
