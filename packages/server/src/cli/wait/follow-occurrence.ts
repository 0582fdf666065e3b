import { CliError } from "../cli-error.js";
import type { GraphqlClient } from "../graphql-client.js";
import { connect, pause, subscribe } from "../live-client.js";
import { occurrenceById, occurrencesAround, waitCursor, type WaitedAnswer, watchWindowEvents } from "../operations/wait-operations.js";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** An occurrence by its name: an edit of its window writes the row anew, under another id. */
export interface OccurrenceName {
  readonly window: string;
  readonly localStart: string;
}

/** Looks at an occurrence; null when its window has it no more. */
export async function lookAtOccurrence(api: GraphqlClient, name: OccurrenceName, id: string | undefined): Promise<WaitedAnswer | null> {
  if (id !== undefined) {
    const { node } = await api.request(occurrenceById, { id });
    if (node !== null) return node;
  }
  // The name is a time on the wall clock; the occurrence may have been moved by some days.
  const aroundMs = Date.parse(`${name.localStart}Z`);
  const [from, to] = [-REACH_MS, REACH_MS].map((by) => new Date(aroundMs + by).toISOString());
  const { maintenanceWindow } = await api.request(occurrencesAround, { key: name.window, from, to });
  if (maintenanceWindow === null) return null;
  return maintenanceWindow.occurrences.nodes.find((one) => one.localStart === name.localStart) ?? null;
}
const REACH_MS = 8 * 86_400_000;

/**
 * Shows an occurrence to `onLook` at once and after every event of its window, until it says that this was enough or the signal comes. A lost server
 * is asked again and again; each time the state is read first, so that nothing depends on the events alone, and they go on from the last cursor.
 */
export async function followOccurrence(input: {
  readonly api: GraphqlClient;
  readonly name: OccurrenceName;
  readonly signal: AbortSignal;
  readonly onLook: (occurrence: WaitedAnswer | null) => "enough" | "go-on";
  /** null: it answers again. */
  readonly onTrouble: (reason: string | null) => void;
}): Promise<void> {
  const { api, name, signal, onLook, onTrouble } = input;
  const cursor: { last?: string | undefined } = {};
  let id: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  const look = async (): Promise<boolean> => {
    const occurrence = await lookAtOccurrence(api, name, id);
    id = occurrence?.id;
    retryMs = FIRST_RETRY_MS;
    return !signal.aborted && onLook(occurrence) === "enough";
  };
  while (!signal.aborted) {
    try {
      // The cursor before the state: what happens in between is told, and looked at once too often.
      cursor.last ??= (await api.request(waitCursor)).eventCursor;
      const isEnough = await look();
      onTrouble(null);
      if (isEnough || (await lookAfterEvents(input, { cursor, look }))) return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CliError) || (error.exit !== "unreachable" && error.code?.startsWith("QSC_EVENTS_CURSOR") !== true))
        throw error;
      if (error.code !== undefined) cursor.last = undefined;
      onTrouble(error.message);
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** True when a look was enough, false when the subscription ended. Heartbeats are looked after as well: a net under everything. */
async function lookAfterEvents(
  { api, name, signal: outer }: Parameters<typeof followOccurrence>[0],
  { cursor, look }: { readonly cursor: { last?: string | undefined }; readonly look: () => Promise<boolean> },
): Promise<boolean> {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const client = connect(api, () => undefined);
  let wakeUp: (() => void) | null = null;
  let news = 0;
  const onData = ({ liveEvents }: { readonly liveEvents: { readonly cursor: string } }): void => {
    cursor.last = liveEvents.cursor;
    news += 1;
    wakeUp?.();
  };
  const looking = async (): Promise<boolean> => {
    for (let seen = 0; !signal.aborted;) {
      if (seen === news)
        await new Promise<void>((resolve) => ((wakeUp = resolve), signal.addEventListener("abort", () => resolve(), { once: true })));
      seen = news;
      if (!signal.aborted && (await look())) return true;
    }
    return false;
  };
  try {
    const variables = { after: cursor.last, subjects: [`window:${name.window}`] };
    const target = { client, connection: api.connection };
    const following = subscribe(target, watchWindowEvents, variables, { signal, onData, heard: () => undefined }).then(() => false);
    const silence = silent(() => news, signal);
    return await Promise.race([following, looking(), silence]);
  } finally {
    stop.abort();
    await client.dispose();
  }
}

/** Heartbeats come every 15 s: more than two missed mean a connection that only looks alive. */
const SILENCE_MS = 40_000;

async function silent(count: () => number, signal: AbortSignal): Promise<false> {
  for (let before = -1; !signal.aborted;) {
    if (before === count()) return false;
    before = count();
    await pause(SILENCE_MS, signal);
  }
  return false;
}
