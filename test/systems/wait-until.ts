const LOOK_EVERY_MS = 50;

/** Asks again until the answer is yes; throws after `withinMs`. */
export async function waitUntil(isSo: () => Promise<boolean>, options: { readonly withinMs: number }): Promise<void> {
  const until = Date.now() + options.withinMs;
  while (Date.now() < until) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`It did not come true within ${options.withinMs} ms.`);
}

/** True if the address answers over HTTP with a success. */
export async function answersHttp(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
}
