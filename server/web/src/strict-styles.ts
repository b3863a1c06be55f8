// Lets xterm.js keep its styles under a Content-Security-Policy without 'unsafe-inline'.
//
// It writes style elements and style attributes, which such a policy blocks. The same rules are allowed when they come
// through the CSS object model, so that is the way they are made to go here. To be called before a terminal is made.

export function useStrictStyles(): void {
  const createElement = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions): HTMLElement =>
    name === 'style' ? styleElement(createElement('template')) : createElement(name, options);

  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (this: Element, name: string, value: string): void {
    if (name === 'style' && this instanceof HTMLElement) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
}

/** Stands in for a style element: its text goes to a sheet of its own, which goes when the element does. */
function styleElement(element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const remove = element.remove.bind(element);
  return Object.defineProperties(element, {
    textContent: { set: (css: string) => sheet.replaceSync(css) },
    remove: {
      value: () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
        remove();
      },
    },
  });
}
