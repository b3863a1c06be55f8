// What Ctrl and Alt make of a key, for keyboards that have neither. Pure.

export interface Modifiers {
  ctrl: boolean;
  alt: boolean;
}

/** Arrows, Home and End, in both of the forms that programs ask for. */
const MOVEMENT = /^\x1b[[O]([ABCDHF])$/;
const CONTROLS = /^[@a-z[\\\]^_ ]$/i;

/** The same with modifiers held; what they don't change is left as it is. */
export function modified(typed: string, { ctrl, alt }: Modifiers): string {
  const movement = MOVEMENT.exec(typed)?.[1];
  if (movement !== undefined) return ctrl || alt ? `\x1b[1;${1 + (alt ? 2 : 0) + (ctrl ? 4 : 0)}${movement}` : typed;
  if ([...typed].length !== 1) return typed;
  const key = ctrl ? control(typed) : typed;
  return alt ? `\x1b${key}` : key;
}

function control(key: string): string {
  if (key === '?') return '\x7f';
  return CONTROLS.test(key) ? String.fromCharCode(key.toUpperCase().charCodeAt(0) & 0x1f) : key;
}
