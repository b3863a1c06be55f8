// What may be pasted as it is, and what a person should look at first. Pure.

/** Control characters, but for tab and line ends: what a web page puts into the clipboard must press no keys. */
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** The text without what would act by itself: escape sequences, the end of a bracketed paste, ^C and ^D. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, '');
}

/** Whether a shell would begin to run this before anybody pressed Enter. */
export function runsAtOnce(text: string, bracketed: boolean): boolean {
  return !bracketed && /[\r\n]/.test(text);
}

/** How many lines a text has; a line end at its end begins no new one. */
export function lineCount(text: string): number {
  return text.replace(/(\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/).length;
}
