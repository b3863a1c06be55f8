// The size of the letters, for all terminals, kept in the settings.

import { DEFAULTS, LARGEST_FONT, settings, SMALLEST_FONT } from './settings.ts';

/** Make the letters that size, or the nearest there is. */
export function resized(size: number): void {
  const fontSize = Math.max(SMALLEST_FONT, Math.min(LARGEST_FONT, Math.round(size)));
  if (fontSize !== settings.now.fontSize) settings.set({ fontSize });
}

export function larger(by: number): void {
  resized(settings.now.fontSize + by);
}

export function usual(): void {
  resized(DEFAULTS.fontSize);
}
