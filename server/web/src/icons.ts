// The few pictures on buttons: lines on a grid of 16, in the colour of the text.

const PATHS = {
  menu: 'M3 4.5h10M3 8h10M3 11.5h10',
  up: 'M4 9.5 8 5.5l4 4',
  down: 'M4 6.5l4 4 4-4',
  left: 'M9.5 4 5.5 8l4 4',
  right: 'M6.5 4l4 4-4 4',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  paste: 'M6 3.5H4.5a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1v-8a1 1 0 0 0-1-1H10M6 2.5h4v2H6z',
  sessions: 'M2.5 3.5h4.5v4H2.5zM9 3.5h4.5v4H9zM2.5 9.5h4.5v3H2.5zM9 9.5h4.5v3H9z',
  plus: 'M8 3.5v9M3.5 8h9',
  beside: 'M2.5 3.5h11v9h-11zM8 3.5v9',
  below: 'M2.5 3.5h11v9h-11zM2.5 8h11',
  rename: 'M3.5 12.5l.6-2.6 6.6-6.6 2 2-6.6 6.6z',
  duplicate: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  share: 'M8 10V2.5M5 5l3-3 3 3M3.5 8.5v5h9v-5',
  end: 'M8 2.5v5M4.8 4.6a4.6 4.6 0 1 0 6.4 0',
} as const;
export type Icon = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name: Icon): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
