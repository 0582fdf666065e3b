import { ConnectorError } from "@quiesce/sdk";

/** A signal that also ends after a time, and a race that a connector deaf to its signal cannot hold up. */
export function limitedSignal(signal: AbortSignal, { limitMs, what }: { readonly limitMs: number; readonly what: string }) {
  const stop = new AbortController();
  const tooLate = new ConnectorError("timeout", `${what} within ${limitMs / 1_000} seconds.`);
  let late: (error: ConnectorError) => void = () => undefined;
  const lateness = new Promise<never>((_resolve, reject) => {
    late = reject;
  });
  lateness.catch(() => undefined);
  const timer = setTimeout(() => {
    late(tooLate);
    stop.abort({ why: "timeout" });
  }, limitMs);
  const pass = (): void => stop.abort({ why: "cancel" });
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass, { once: true });
  return {
    signal: stop.signal,
    race: <T>(work: Promise<T>): Promise<T> => Promise.race([work, lateness]),
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", pass);
    },
  };
}
