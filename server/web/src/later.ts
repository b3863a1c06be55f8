// Parts of the page that are not needed at once. They are fetched as soon as the page has nothing else to do: when they
// are wanted the connection may be gone.

export const later = {
  search: () => import('@xterm/addon-search'),
  settings: () => import('./settings-dialog.ts'),
  text: () => import('./text-dialog.ts'),
};

let fetched = false;

export function fetchLater(): void {
  if (fetched) return;
  fetched = true;
  const idle = window.requestIdleCallback ?? ((act: () => void) => setTimeout(act, 500));
  idle(() => {
    // What can't be had now is asked for again when it is wanted.
    for (const load of Object.values(later)) load().catch(() => {});
  });
}
