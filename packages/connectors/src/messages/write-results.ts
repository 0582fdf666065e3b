import type { WriteItem, WriteResult } from "@quiesce/sdk";
import { failed } from "./message-body.js";

/**
 * Sends all items at once and gives one result for each. Whatever ends the waiting (a stop, a connection that is lost), what was answered until then is
 * known, and the rest fails with it: that error says whether it is in doubt.
 */
export async function writeResults(
  items: readonly WriteItem[],
  options: {
    /** Gives a failure as a result; never rejects. */
    readonly send: (item: WriteItem) => Promise<WriteResult>;
    readonly wait: (work: Promise<unknown>) => Promise<unknown>;
    readonly signal: AbortSignal;
  },
): Promise<WriteResult[]> {
  const results = new Map<string, WriteResult>();
  const sent = items.map(async (item) => results.set(item.key, await options.send(item)));
  const ended = await options.wait(Promise.all(sent)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return items.map(({ key }) => results.get(key) ?? failed(key, ended, options.signal));
}
