import type postgres from "postgres";
import { clock } from "../clock.js";

/** Which statements are kept prepared. A text that comes once is not worth a place, and there are as many texts as combinations of filters. */
export interface PreparedTexts {
  /** Counts one use of a statement's text; true when it is to be prepared. */
  admits(text: string): boolean;
  /** How many texts are to be prepared now; bounded. */
  readonly size: number;
}

/** A text is prepared from its third use on. */
const USES_BEFORE = 3;
/** So many times as many texts are counted as are prepared; of the others the oldest is forgotten. */
const COUNTED_FOR_EACH_PLACE = 5;
/** When all places are taken, those that were not used for so long are given away. postgres.js replaces each connection, and what it has prepared, within an hour. */
const UNUSED_AFTER_MS = 30 * 60_000;

export function createPreparedTexts(most: number, monotonicMs: () => number = clock.monotonicMs): PreparedTexts {
  const usedAt = new Map<string, number>();
  const counted = new Map<string, number>();
  let freedAt = monotonicMs();

  const free = (now: number): void => {
    if (now - freedAt < UNUSED_AFTER_MS) return;
    freedAt = now;
    for (const [text, at] of usedAt) if (now - at >= UNUSED_AFTER_MS) usedAt.delete(text);
  };

  return {
    admits(text) {
      const now = monotonicMs();
      if (usedAt.has(text)) {
        usedAt.set(text, now);
        return true;
      }
      const uses = (counted.get(text) ?? 0) + 1;
      counted.delete(text);
      if (usedAt.size >= most) free(now);
      if (uses < USES_BEFORE || usedAt.size >= most) {
        counted.set(text, uses);
        for (const oldest of counted.keys()) {
          if (counted.size <= most * COUNTED_FOR_EACH_PLACE) break;
          counted.delete(oldest);
        }
        return false;
      }
      usedAt.set(text, now);
      return true;
    },
    get size() {
      return usedAt.size;
    },
  };
}

/**
 * The client as drizzle is to have it. Drizzle sends its statements unprepared: the text each time, a wait for the types of its parameters, then the
 * values. Prepared ones are one message there and one back.
 */
export function preparing(client: postgres.Sql, texts: PreparedTexts): postgres.Sql {
  const begin = (first: unknown, second?: unknown): unknown => {
    const options = typeof first === "string" ? first : "";
    const work = (typeof first === "string" ? second : first) as (tx: postgres.TransactionSql) => unknown;
    return client.begin(options, (tx) => work(withPreparedTexts(tx, texts)));
  };
  return withPreparedTexts(client, texts, { begin });
}

type Unsafe = postgres.Sql["unsafe"];

function withPreparedTexts<Client extends postgres.ISql>(
  client: Client,
  texts: PreparedTexts,
  others: { readonly [name: string]: unknown } = {},
): Client {
  // A statement without parameters is one message already.
  const unsafe = ((text, values, options) =>
    client.unsafe(
      text,
      values,
      values !== undefined && values.length > 0 && texts.admits(text) ? { ...options, prepare: true } : options,
    )) as Unsafe;
  const ways: { readonly [name: string]: unknown } = { ...others, unsafe };
  return new Proxy(client, {
    get: (target, name) => (typeof name === "string" && Object.hasOwn(ways, name) ? ways[name] : (Reflect.get(target, name) as unknown)),
  });
}
