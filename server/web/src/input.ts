// What was typed, until the session has it. Each byte has an input offset, counted by the session for this client id.
// Pure: it says what to send and is told what arrived.

/** Small enough that a long paste does not keep an acknowledgement waiting behind it. */
const FRAME = 16 << 10;

export class InputQueue {
  private parts: Uint8Array[] = [];
  private start = 0;
  private sent = 0;

  push(data: Uint8Array): void {
    for (let at = 0; at < data.length; at += FRAME) this.parts.push(data.subarray(at, at + FRAME));
  }

  /** The session has everything below `offset`. */
  acknowledge(offset: number): void {
    while (this.start < offset) {
      const first = this.parts[0];
      if (first === undefined) {
        this.start = offset;
        break;
      }
      const known = Math.min(offset - this.start, first.length);
      this.start += known;
      if (known === first.length) this.parts.shift();
      else this.parts[0] = first.subarray(known);
    }
    this.sent = Math.max(this.sent, this.start);
  }

  /** A new connection to the same shell, which has everything below `offset`: the rest is to be sent again. */
  resume(offset: number): void {
    if (offset < this.start) {
      // The session has forgotten this client and counts anew. Whether it got what was in flight nobody knows;
      // running a line twice would be worse than losing one.
      this.dropSent();
      this.start = offset;
    }
    this.acknowledge(offset);
    this.sent = this.start;
  }

  /** Another shell: what was typed into the one before must not go to this one. */
  restart(offset: number): void {
    this.parts = [];
    this.start = this.sent = offset;
  }

  /** The first shell: what was typed while connecting is for it. */
  begin(offset: number): void {
    this.start = this.sent = offset;
  }

  /** What may be sent now, with at most `window` bytes in flight; it counts as sent. */
  take(window: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    const limit = this.start + window;
    let at = this.start;
    for (const part of this.parts) {
      if (at >= limit) break;
      const end = Math.min(at + part.length, limit);
      if (end > this.sent) {
        taken.push(part.subarray(this.sent - at, end - at));
        this.sent = end;
      }
      at += part.length;
    }
    return taken;
  }

  private dropSent(): void {
    let known = this.sent - this.start;
    while (known > 0) {
      const first = this.parts[0];
      if (first === undefined) break;
      if (first.length > known) this.parts[0] = first.subarray(known);
      else this.parts.shift();
      known -= first.length;
    }
  }
}
