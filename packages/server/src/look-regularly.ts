/**
 * Calls `work` now and then every so often, never twice at once. `work` ends soon after the signal of the answer's stop is given; a failure is told
 * and the next look tries again. The answer stops the looking and waits for what is under way.
 */
export function lookRegularly(
  work: (signal: AbortSignal) => Promise<void>,
  options: { readonly everyMs: number; readonly onFailure: (error: unknown) => void },
): () => Promise<void> {
  const stop = new AbortController();
  let busy: Promise<void> | null = null;
  const look = (): void => {
    if (busy !== null || stop.signal.aborted) return;
    busy = work(stop.signal)
      .catch(options.onFailure)
      .finally(() => {
        busy = null;
      });
  };
  const timer = setInterval(look, options.everyMs);
  timer.unref();
  look();
  return async () => {
    clearInterval(timer);
    stop.abort();
    await busy;
  };
}
