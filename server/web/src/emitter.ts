// Events with names and types of their own, where nothing of the DOM is needed.

export class Emitter<Events> {
  private readonly listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** Call `act` at each such event; what is returned ends that. */
  on<Name extends keyof Events>(name: Name, act: (value: Events[Name]) => void): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(act));
    return () => void listeners.delete(act);
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const act of [...(this.listeners.get(name) ?? [])]) (act as (value: Events[Name]) => void)(value);
  }
}
