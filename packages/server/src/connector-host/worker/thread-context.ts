import { type Connector, ConnectorError, type Context, type FetchOptions, type LogFields, type StopReason } from "@quiesce/sdk";
import { clock } from "../../clock.js";
import { classifyingFetch } from "../classifying-fetch.js";
import { type ContextValues, type FromWorker, type Question, REQUEST_MAX_BYTES, type SentRequest, type SentResponse } from "./protocol.js";

/** How a call speaks with its host. */
export interface HostLine {
  post(message: FromWorker): void;
  ask(asks: Question, options?: { readonly transfer?: readonly ArrayBuffer[]; readonly signal?: AbortSignal }): Promise<unknown>;
}

/** The context of one call, inside the worker: what is done over the network or stored is asked of the host, which guards it. */
export function threadContext(options: {
  readonly of: number;
  readonly values: ContextValues;
  readonly config: unknown;
  readonly secrets: unknown;
  readonly signal: AbortSignal;
  readonly connector: Connector;
  readonly line: HostLine;
}): Context {
  const { of, values, config, secrets, signal, connector, line } = options;
  const log =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void =>
      line.post({ type: "log", of, level, message, fields });
  const fetched = (url: string | URL, init?: FetchOptions) => fetchOverHost(line, url, init ?? {});
  return {
    config,
    secrets,
    signal,
    deadline: new Date(values.deadlineMs),
    fetch: classifyingFetch(fetched, connector),
    // The host answers with strings.
    resolveHost: async (host) => (await line.ask({ ask: "resolve-host", host })) as readonly string[],
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    metric: (name, value, labels) => line.post({ type: "metric", of, name, value, labels: { ...labels } }),
    state: {
      get: async (name) => (await line.ask({ ask: "state-get", name })) as Awaited<ReturnType<Context["state"]["get"]>>,
      set: async (name, value, settings) => {
        await line.ask({ ask: "state-set", name, value, ...(settings?.ttlMs === undefined ? {} : { ttlMs: settings.ttlMs }) });
      },
    },
    clock: { now: () => new Date(clock.wallMs()) },
    meta: values.meta,
  };
}

/** Why a call is stopped, as connectors know it. */
export function stopWith(stop: AbortController, why: StopReason): void {
  if (!stop.signal.aborted) stop.abort({ why });
}

async function fetchOverHost(line: HostLine, url: string | URL, init: FetchOptions): Promise<Response> {
  const { timeoutMs, signal, redirect = "follow", tls, ...rest } = init;
  // The platform turns body and headers into bytes; the address stays as the connector wrote it, for the host to judge.
  const request = new Request("http://request.invalid/", rest);
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  if (body !== null && body.byteLength > REQUEST_MAX_BYTES)
    throw new ConnectorError(
      "contract",
      `The body of a request is larger than ${REQUEST_MAX_BYTES / 1_024 / 1_024} MiB. Send smaller parts.`,
    );
  const sent: SentRequest = {
    url: String(url),
    method: request.method,
    headers: [...request.headers],
    body,
    redirect,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
  };
  const head = (await line.ask(
    { ask: "fetch", request: sent },
    { transfer: body === null ? [] : [body.buffer], ...(signal === null || signal === undefined ? {} : { signal }) },
  )) as SentResponse;
  const response = new Response(head.bodyId === null ? null : bodyOf(line, head.bodyId), {
    status: head.status,
    statusText: head.statusText,
    headers: head.headers.map(([name, value]): [string, string] => [name, value]),
  });
  // A Response made by hand has no address; connectors use it for their messages.
  Object.defineProperty(response, "url", { value: head.url });
  return response;
}

function bodyOf(line: HostLine, bodyId: number): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = (await line.ask({ ask: "pull", bodyId })) as Uint8Array | null;
      if (chunk === null) controller.close();
      else controller.enqueue(chunk);
    },
    async cancel() {
      await line.ask({ ask: "cancel", bodyId });
    },
  });
}
