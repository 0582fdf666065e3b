import { ConnectorError, type Context, type FetchOptions } from "@quiesce/sdk";
import { clock } from "../../clock.js";
import { CHUNK_MAX_BYTES, type FromWorker, type Question, type SentRequest, type SentResponse } from "./protocol.js";

/** Lines and figures of one call within {@link NOTES_SPAN_MS}; more are counted and left out. */
const NOTES_MAX = 500;
const NOTES_SPAN_MS = 10_000;

/** What the host answers a question with. What is in `transfer` moves to the worker without a copy. */
interface Answer {
  readonly value: unknown;
  readonly transfer?: readonly ArrayBuffer[];
}

type Note = Extract<FromWorker, { type: "log" | "metric" }>;

/** The host's end of one call in a worker: its context's functions, asked by messages. */
export interface ServedCall {
  answer(question: number, asks: Question): Promise<Answer>;
  note(note: Note): void;
  /** Ends what the call left open. */
  end(): void;
}

interface OpenBody {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  rest: Uint8Array;
}

/** Serves the questions of one call with the context it was made for: the guard, the limits and the masks of that context hold. */
export function serveCall(context: Context): ServedCall {
  const bodies = new Map<number, OpenBody>();
  const fetches = new Map<number, AbortController>();
  const notes = createNotes(context);
  let ended = false;
  const answer = async (question: number, asks: Question): Promise<Answer> => {
    if (ended) throw new ConnectorError("cancelled", "The call that this belongs to has ended.");
    switch (asks.ask) {
      case "fetch":
        return { value: await fetchFor(question, asks.request) };
      case "stop-fetch":
        fetches.get(asks.question)?.abort();
        return { value: null };
      case "pull":
        return pull(asks.bodyId);
      case "cancel":
        await close(asks.bodyId);
        return { value: null };
      case "resolve-host":
        return { value: await context.resolveHost(asks.host) };
      case "state-get":
        return { value: await context.state.get(asks.name) };
      case "state-set":
        await context.state.set(asks.name, asks.value, asks.ttlMs === undefined ? {} : { ttlMs: asks.ttlMs });
        return { value: null };
    }
  };
  const fetchFor = async (question: number, request: SentRequest): Promise<SentResponse> => {
    const stop = new AbortController();
    fetches.set(question, stop);
    const { url, method, headers, body, redirect, timeoutMs, tls } = request;
    const options: FetchOptions = {
      method,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
      body,
      redirect,
      signal: stop.signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(tls === undefined ? {} : { tls }),
    };
    const response = await context.fetch(url, options).catch((thrown: unknown) => {
      fetches.delete(question);
      throw thrown;
    });
    if (response.body !== null) bodies.set(question, { reader: response.body.getReader(), rest: new Uint8Array() });
    else fetches.delete(question);
    if (ended) await close(question);
    return {
      status: response.status,
      statusText: response.statusText,
      url: response.url,
      headers: [...response.headers],
      bodyId: response.body === null ? null : question,
    };
  };
  const pull = async (bodyId: number): Promise<Answer> => {
    const open = bodies.get(bodyId);
    if (open === undefined) return { value: null };
    if (open.rest.byteLength === 0) {
      const { done, value } = await open.reader.read();
      if (done || value === undefined) {
        bodies.delete(bodyId);
        fetches.delete(bodyId);
        return { value: null };
      }
      open.rest = value;
    }
    const chunk = open.rest.slice(0, CHUNK_MAX_BYTES);
    open.rest = open.rest.subarray(chunk.byteLength);
    return { value: chunk, transfer: [chunk.buffer] };
  };
  const close = async (bodyId: number): Promise<void> => {
    const open = bodies.get(bodyId);
    bodies.delete(bodyId);
    fetches.delete(bodyId);
    await open?.reader.cancel().catch(() => undefined);
  };
  return {
    answer,
    note: notes.add,
    end() {
      if (ended) return;
      ended = true;
      notes.end();
      for (const stop of fetches.values()) stop.abort();
      for (const bodyId of bodies.keys()) void close(bodyId);
    },
  };
}

/** Passes lines and figures on, not more than a log can bear. */
function createNotes(context: Context): { readonly add: (note: Note) => void; readonly end: () => void } {
  let spanEndsAtMs = 0;
  let count = 0;
  let left = 0;
  const tellLeft = (): void => {
    if (left > 0) context.log.warn("Lines and figures of the connector were left out: there were too many.", { leftOut: left });
    left = 0;
  };
  return {
    add(note) {
      const now = clock.monotonicMs();
      if (now >= spanEndsAtMs) {
        tellLeft();
        spanEndsAtMs = now + NOTES_SPAN_MS;
        count = 0;
      }
      count += 1;
      if (count > NOTES_MAX) left += 1;
      else if (note.type === "log") context.log[note.level](note.message, note.fields);
      else context.metric(note.name, note.value, note.labels);
    },
    end: tellLeft,
  };
}
