import type { ExecutionResult } from "graphql";
import { lastWords, type LiveStream } from "../graphql/shared-feeds.js";
import type { Log } from "../log.js";

/** What graphql-ws iterates of a subscription that writes to the socket by itself: why it is over, and the end. */
export function lastWordsOf(stream: LiveStream, log: Log): AsyncGenerator<ExecutionResult, undefined> {
  let said = false;
  const over = { done: true, value: undefined } as const;
  // graphql-ws returns only streams that are whole generators, `throw` included.
  const words: AsyncGenerator<ExecutionResult, undefined> = {
    async next() {
      const last = lastWords(await stream.ended, log);
      if (said || last === null) return over;
      said = true;
      return { done: false, value: last };
    },
    async return() {
      stream.close();
      return over;
    },
    async throw(error) {
      stream.close();
      throw error;
    },
    [Symbol.asyncIterator]: () => words,
    async [Symbol.asyncDispose]() {
      stream.close();
    },
  };
  return words;
}
