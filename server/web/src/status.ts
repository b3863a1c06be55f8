// The quiet line below the terminal: what state the connection is in, and the one thing that can be done about it.

import type { Client, State } from './client.ts';

export interface Actions {
  hurry(): void;
  renew(): void;
}

export class Status {
  private readonly line = element('status');
  private readonly message = element('message');
  private readonly details = element('details');
  private readonly button = element('action') as HTMLButtonElement;
  private countdown = 0;

  constructor(private readonly actions: Actions) {}

  show(client: Client): void {
    const { state } = client;
    clearInterval(this.countdown);
    this.line.dataset['state'] = state.kind;
    this.message.textContent = text(state);
    this.details.textContent = details(client);
    const offer = state.kind === 'waiting' ? 'Now' : state.kind === 'ended' ? (state.refused ? 'Try again' : 'New session') : '';
    this.button.hidden = offer === '';
    this.button.textContent = offer;
    this.button.onclick = () => {
      if (state.kind === 'ended' && !state.refused) this.actions.renew();
      else this.actions.hurry();
    };
    if (state.kind === 'waiting') this.count(state.seconds, state.why);
  }

  private count(seconds: number, why: string): void {
    const until = performance.now() + seconds * 1000;
    const tell = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      this.message.textContent = left > 0 ? `Offline: ${why}. Again in ${left} s` : `Offline: ${why}`;
    };
    tell();
    this.countdown = window.setInterval(tell, 250);
  }
}

function text(state: State): string {
  switch (state.kind) {
    case 'connecting':
      return 'Connecting …';
    case 'open':
      return state.readonly ? 'Connected, read-only' : 'Connected';
    case 'waiting':
      return `Offline: ${state.why}`;
    case 'ended':
      return state.refused ? `Not connected: ${state.why}` : `Session ended: ${state.why}`;
  }
}

function details(client: Client): string {
  if (client.state.kind !== 'open') return '';
  const viewers = client.viewers > 1 ? `${client.viewers} viewers` : '';
  const trip = client.roundTrip === null ? '' : `${Math.max(client.roundTrip, 1).toFixed(0)} ms`;
  return [viewers, trip].filter(Boolean).join(' · ');
}

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}
