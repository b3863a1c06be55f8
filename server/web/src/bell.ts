// The bell: a short light on the terminal's edge, or a short tone. A program that rings all the time is heard once in a
// while.

import { settings } from './settings.ts';

const QUIET = 300;
const LIGHT = 200;
const HERTZ = 660;
const SECONDS = 0.12;
const VOLUME = 0.12;

let audio: AudioContext | null = null;
let last = -Infinity;

export function ring(view: HTMLElement): void {
  const now = performance.now();
  if (settings.now.bell === 'none' || now - last < QUIET) return;
  last = now;
  view.classList.add('rung');
  setTimeout(() => view.classList.remove('rung'), LIGHT);
  if (settings.now.bell === 'heard') sound();
}

function sound(): void {
  audio ??= new AudioContext();
  // A browser lets a page make sounds once somebody has used it; until then the bell is only seen.
  if (audio.state === 'suspended') void audio.resume();
  const { currentTime } = audio;
  const tone = new OscillatorNode(audio, { frequency: HERTZ });
  const volume = new GainNode(audio, { gain: VOLUME });
  volume.gain.exponentialRampToValueAtTime(0.001, currentTime + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.start(currentTime);
  tone.stop(currentTime + SECONDS);
}
