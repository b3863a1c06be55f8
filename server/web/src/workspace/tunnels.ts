// The line about the tunnels that the server is published through, for those who may know of them.

import { make } from '../elements.ts';
import type { Api, Tunnel } from './api.ts';
import { tunnelState } from './describe.ts';

const PAUSE = 3_000;

/** An element with a line for each tunnel, true for as long as it is on the page. */
export function tunnelLines(api: Api): HTMLElement {
  const element = make('section', { class: 'tunnels', 'aria-label': 'Tunnels', hidden: true });
  const turn = async (): Promise<void> => {
    if (!element.isConnected) return;
    if (!document.hidden) show(element, await api.tunnels().catch(() => []));
    setTimeout(() => void turn(), PAUSE);
  };
  setTimeout(() => void turn());
  return element;
}

function show(element: HTMLElement, tunnels: Tunnel[]): void {
  element.hidden = tunnels.length === 0;
  tunnels.forEach((tunnel, at) => {
    const line = element.children[at] ?? element.appendChild(make('p', {}, make('span', { class: 'dot' }), make('span')));
    line.classList.toggle('up', tunnel.up);
    const text = `Tunnel to ${tunnel.destination} ${tunnel.remote}: ${tunnelState(tunnel)}`;
    if (line.lastChild!.textContent !== text) line.lastChild!.textContent = text;
  });
  while (element.children.length > tunnels.length) element.lastChild!.remove();
}
