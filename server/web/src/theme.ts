// The terminal's colours. Each of the sixteen reaches a contrast of 4.5 on its ground, but the black of dark and the
// white of light, which programs use as grounds.

import type { ITheme } from '@xterm/xterm';

const DARK: ITheme = {
  background: '#14171c',
  foreground: '#dfe5ec',
  cursor: '#5ad1ae',
  cursorAccent: '#14171c',
  selectionBackground: '#2d4a5e',
  selectionInactiveBackground: '#2a323c',
  scrollbarSliderBackground: '#8b96a530',
  scrollbarSliderHoverBackground: '#8b96a560',
  scrollbarSliderActiveBackground: '#8b96a590',
  black: '#343b45',
  red: '#ff7b72',
  green: '#5fd38d',
  yellow: '#e2b654',
  blue: '#79b8ff',
  magenta: '#d2a8ff',
  cyan: '#5cd0dc',
  white: '#cbd3dc',
  brightBlack: '#8b96a5',
  brightRed: '#ffa39b',
  brightGreen: '#8be9ae',
  brightYellow: '#f3cf7a',
  brightBlue: '#a5d3ff',
  brightMagenta: '#e4c9ff',
  brightCyan: '#93e4ec',
  brightWhite: '#f7f9fb',
};

const LIGHT: ITheme = {
  background: '#fcfcfb',
  foreground: '#22272e',
  cursor: '#0a7555',
  cursorAccent: '#fcfcfb',
  selectionBackground: '#c9e0f5',
  selectionInactiveBackground: '#e3e8ed',
  scrollbarSliderBackground: '#57606a30',
  scrollbarSliderHoverBackground: '#57606a60',
  scrollbarSliderActiveBackground: '#57606a90',
  black: '#22272e',
  red: '#b3261e',
  green: '#11703a',
  yellow: '#875600',
  blue: '#0b57b8',
  magenta: '#7a35c0',
  cyan: '#0b6b78',
  white: '#d5dae0',
  brightBlack: '#5c6671',
  brightRed: '#c7382e',
  brightGreen: '#177e44',
  brightYellow: '#946000',
  brightBlue: '#1168d6',
  brightMagenta: '#8a4bd6',
  brightCyan: '#137a88',
  brightWhite: '#f4f6f8',
};

const dark = matchMedia('(prefers-color-scheme: dark)');

export function theme(): ITheme {
  return dark.matches ? DARK : LIGHT;
}

/** What is returned ends it. */
export function onThemeChange(act: () => void): () => void {
  dark.addEventListener('change', act);
  return () => dark.removeEventListener('change', act);
}
