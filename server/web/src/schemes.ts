// The colours to choose from. Each of the sixteen reaches a contrast of 4.5 on its ground, but the black of dark schemes
// and the white of light ones, which programs use as grounds. The page around a terminal is coloured by its scheme, too.

import type { ITheme } from '@xterm/xterm';

export interface Scheme {
  name: string;
  dark: boolean;
  ground: string;
  text: string;
  accent: string;
  /** Text on the accent. */
  onAccent: string;
  selection: string;
  /** black, red, green, yellow, blue, magenta, cyan, white, and the bright eight. */
  colours: readonly string[];
}

export const SCHEMES: readonly Scheme[] = [
  {
    name: 'Night', dark: true, ground: '#14171c', text: '#dfe5ec', accent: '#5ad1ae', onAccent: '#0d1f19',
    selection: '#2d4a5e',
    colours: [
      '#343b45', '#ff7b72', '#5fd38d', '#e2b654', '#79b8ff', '#d2a8ff', '#5cd0dc', '#cbd3dc',
      '#8b96a5', '#ffa39b', '#8be9ae', '#f3cf7a', '#a5d3ff', '#e4c9ff', '#93e4ec', '#f7f9fb',
    ],
  },
  {
    name: 'Ember', dark: true, ground: '#1d1815', text: '#eadfd3', accent: '#f0a35e', onAccent: '#2b1605',
    selection: '#573f2c',
    colours: [
      '#453a33', '#f58a7b', '#b4c973', '#ecbd5e', '#8fb8d9', '#d9a3c7', '#86c7b0', '#d8ccbf',
      '#a3948a', '#ffb0a4', '#cfe193', '#fbd688', '#b5d3ec', '#ecc3de', '#abe0cd', '#fbf5ee',
    ],
  },
  {
    name: 'Ink', dark: true, ground: '#000000', text: '#ffffff', accent: '#4de1ff', onAccent: '#001a20',
    selection: '#1f5f8b',
    colours: [
      '#2e2e2e', '#ff8080', '#6df08a', '#ffd84d', '#8ac1ff', '#e6a8ff', '#5ce6f2', '#e6e6e6',
      '#a6a6a6', '#ffadad', '#a3f7b5', '#ffe78a', '#b8daff', '#f1cdff', '#a0f2f9', '#ffffff',
    ],
  },
  {
    name: 'Day', dark: false, ground: '#fcfcfb', text: '#22272e', accent: '#0a7555', onAccent: '#ffffff',
    selection: '#c9e0f5',
    colours: [
      '#22272e', '#b3261e', '#11703a', '#875600', '#0b57b8', '#7a35c0', '#0b6b78', '#d5dae0',
      '#5c6671', '#c7382e', '#177e44', '#946000', '#1168d6', '#8a4bd6', '#137a88', '#f4f6f8',
    ],
  },
  {
    name: 'Paper', dark: false, ground: '#f7f1e3', text: '#3b3228', accent: '#9a4a12', onAccent: '#ffffff',
    selection: '#e6d3a8',
    colours: [
      '#3b3228', '#a8281c', '#4d6410', '#7d5600', '#23588f', '#8a3577', '#1c6a62', '#dccfb4',
      '#6b5f51', '#b8352a', '#53700f', '#875d00', '#2b66a5', '#974285', '#1f736a', '#fffaf0',
    ],
  },
  {
    name: 'Chalk', dark: false, ground: '#ffffff', text: '#000000', accent: '#0047b3', onAccent: '#ffffff',
    selection: '#ffe08a',
    colours: [
      '#000000', '#9c0000', '#005c1f', '#6b4300', '#003da8', '#6a0dad', '#005a66', '#cfcfcf',
      '#4d4d4d', '#b30000', '#006b24', '#754900', '#0047c2', '#7a1fc0', '#006773', '#f2f2f2',
    ],
  },
];

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

/** The scheme of that name, or else the first of its kind. */
export function scheme(name: string, dark: boolean): Scheme {
  const kind = SCHEMES.filter((one) => one.dark === dark);
  const found = kind.find((one) => one.name === name) ?? kind[0];
  if (found === undefined) throw new Error('there are no schemes');
  return found;
}

/** The colours for xterm.js. */
export function theme({ ground, text, accent, selection, colours }: Scheme): ITheme {
  const bright = (name: string): string => `bright${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return {
    background: ground,
    foreground: text,
    cursor: accent,
    cursorAccent: ground,
    selectionBackground: selection,
    selectionInactiveBackground: `${selection}b0`,
    scrollbarSliderBackground: `${text}24`,
    scrollbarSliderHoverBackground: `${text}48`,
    scrollbarSliderActiveBackground: `${text}70`,
    ...Object.fromEntries(NAMES.map((name, i) => [name, colours[i]])),
    ...Object.fromEntries(NAMES.map((name, i) => [bright(name), colours[i + NAMES.length]])),
  };
}
