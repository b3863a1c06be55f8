// When a page comes back to life: out of the sleep of its device, of the network, of the browser's own caches.

/** Time that a timer may be late without anybody having slept. */
const DROWSY = 10_000;
const TICK = 4_000;

export interface Sleeper {
  wake(): void;
  /** The page goes into the browser's cache, which takes none with a connection. */
  sleep(): void;
}

/** Tell a sleeper, until the signal. */
export function onWake(signal: AbortSignal, sleeper: Sleeper): void {
  const wake = (): void => sleeper.wake();
  addEventListener('online', wake, { signal });
  addEventListener('pageshow', wake, { signal });
  addEventListener('pagehide', (event) => { if (event.persisted) sleeper.sleep(); }, { signal });
  document.addEventListener('resume', wake, { signal });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) sleeper.wake(); }, { signal });
  // A lid that is opened tells nobody, but the clock has jumped.
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > DROWSY + TICK) sleeper.wake();
    last = now;
  }, TICK);
  signal.addEventListener('abort', () => clearInterval(timer));
}
