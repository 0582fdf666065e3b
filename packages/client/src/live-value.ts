/** A value that changes, and who wants to know: the shape that React's useSyncExternalStore takes. */
export interface LiveValue<T> {
  /** The present value; the same object until it changes. */
  readonly get: () => T;
  /** Calls the listener after each change; answers how to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A live value for its owner, who alone sets it. */
export interface OwnedValue<T> extends LiveValue<T> {
  readonly set: (value: T) => void;
}

/** Makes a live value. Setting what it is already tells nobody. */
export function createLiveValue<T>(initial: T): OwnedValue<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      // One function may be given twice, and each of them ends by itself.
      const own = () => listener();
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
