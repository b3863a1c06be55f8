// OSC 52: a program puts text into the clipboard. Pure. That a program asks what is in there is never answered.

/** Characters of base64: 1 MiB of text is more than anybody pastes. */
const LONGEST = (1 << 20) * (4 / 3) + 4;

/** The text that is to be copied; null where there is none. `data` is what stands between `52;` and the end. */
export function copied(data: string): string | null {
  // The targets (clipboard, primary, cut buffers) all mean the one clipboard here; tmux leaves them out.
  const [targets, base64, ...more] = data.split(';');
  if (targets === undefined || !/^[cpqs0-7]*$/.test(targets) || base64 === undefined || more.length > 0) return null;
  if (base64 === '?' || base64 === '' || base64.length > LONGEST) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null; // no base64, or no text
  }
}
