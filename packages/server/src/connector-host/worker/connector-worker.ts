import { parentPort, workerData } from "node:worker_threads";
import { type Connector, ConnectorError, parseSettings } from "@quiesce/sdk";
import { apiAdapters } from "../api-adapters.js";
import { endpointFacts } from "../endpoint-facts.js";
import {
  type ConnectorDescription,
  type FromWorker,
  METHOD_NAMES,
  type MethodName,
  type Question,
  type Settled,
  shapeOf,
  type ToWorker,
  type WorkerStart,
} from "./protocol.js";
import { receiveError, sendError } from "./send-error.js";
import { stopWith, threadContext } from "./thread-context.js";

/** A call has at most so many questions open at its host. */
const MAX_QUESTIONS = 100;

interface Call {
  readonly stop: AbortController;
  pages?: AsyncIterator<unknown>;
  open: number;
}

const calls = new Map<number, Call>();
const questions = new Map<number, (settled: Settled) => void>();
let lastQuestion = 0;

const port = parentPort;
if (port === null) throw new Error("This module is the beginning of a worker and nothing else.");
const post = (message: FromWorker): void => port.postMessage(message);

/** Imports the connector, tells the host what it is, and serves calls. */
async function begin({ module, apiVersion }: WorkerStart): Promise<void> {
  const connector = await imported(module, apiVersion).catch((thrown: unknown) => {
    post({ type: "failed", reason: thrown instanceof Error ? thrown.message : String(thrown) });
    return undefined;
  });
  if (connector === undefined) return;
  port?.on("message", (message: ToWorker) => receive(connector, message));
  post({ type: "ready", description: describe(connector) });
}

async function imported(module: string, apiVersion: number): Promise<Connector> {
  const found: { readonly default?: unknown } = await import(module);
  const connector = apiAdapters[apiVersion]?.(found.default);
  if (connector === undefined)
    throw new Error(`its entry does not export as default what defineConnector gave for apiVersion ${apiVersion}`);
  return connector;
}

function describe(connector: Connector): ConnectorDescription {
  const { write, rotate, limits } = connector;
  return {
    manifest: connector.toManifest(),
    methods: METHOD_NAMES.filter((method) => functionOf(connector, method) !== undefined),
    ...(write === undefined ? {} : { write: { idempotency: write.idempotency, maxBatch: write.maxBatch } }),
    ...(rotate === undefined ? {} : { rotate: { secrets: [...rotate.secrets] } }),
    ...(limits === undefined ? {} : { limits: { ...limits } }),
  };
}

type AnyFunction = (...args: unknown[]) => unknown;

/** The function at a method's path, bound to the facet that it is a part of. */
function functionOf(connector: Connector, method: MethodName): AnyFunction | undefined {
  const parts = method.split(".");
  let owner: unknown = undefined;
  let found: unknown = connector;
  for (const part of parts) {
    if (typeof found !== "object" || found === null) return undefined;
    owner = found;
    found = Reflect.get(found, part);
  }
  return typeof found === "function" ? (...args) => Reflect.apply(found, owner, args) as unknown : undefined;
}

function receive(connector: Connector, message: ToWorker): void {
  switch (message.type) {
    case "ping":
      return post({ type: "pong", arrayBufferBytes: process.memoryUsage().arrayBuffers });
    case "abort": {
      const call = calls.get(message.of);
      if (call !== undefined) stopWith(call.stop, message.why);
      return;
    }
    case "answer":
      questions.get(message.question)?.(message.settled);
      return;
    default:
      void settle(connector, message);
  }
}

async function settle(connector: Connector, message: Exclude<ToWorker, { type: "ping" | "abort" | "answer" }>): Promise<void> {
  const of = message.type === "next" || message.type === "return" ? message.of : message.id;
  let settled: Settled;
  try {
    settled = { ok: true, value: await work(connector, message) };
  } catch (thrown) {
    settled = { ok: false, error: sendError(thrown, calls.get(of)?.stop.signal) };
  }
  const call = calls.get(of);
  if (call !== undefined && (call.pages === undefined || message.type === "return" || !settled.ok)) calls.delete(of);
  try {
    post({ type: "settled", id: message.id, settled });
  } catch (thrown) {
    calls.delete(of);
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const error = sendError(new ConnectorError("bug", `The connector's answer cannot leave its worker: ${why}. Give plain data.`));
    post({ type: "settled", id: message.id, settled: { ok: false, error } });
  }
}

async function work(connector: Connector, message: Exclude<ToWorker, { type: "ping" | "abort" | "answer" }>): Promise<unknown> {
  switch (message.type) {
    case "call":
      return beginCall(connector, message);
    case "next":
      return nextPage(message.of);
    case "return":
      await calls.get(message.of)?.pages?.return?.();
      return undefined;
    case "validate": {
      const result = await parseSettings(connector[message.what], message.value);
      return result.ok ? { ok: true } : result;
    }
    case "facts": {
      const config = await parsed(connector, "config", message.config);
      const secrets = await parsed(connector, "secrets", message.secrets);
      return endpointFacts(connector, { config, secrets, streams: message.streams });
    }
    case "migrate":
      return connector.migrate?.(message.config, message.from);
    case "close":
      await connector.close?.();
      return undefined;
  }
}

async function beginCall(connector: Connector, message: Extract<ToWorker, { type: "call" }>): Promise<unknown> {
  const { id, method } = message;
  const run = functionOf(connector, method);
  if (run === undefined) throw new ConnectorError("bug", `The connector "${connector.id}" has no ${method}.`);
  const call: Call = { stop: new AbortController(), open: 0 };
  calls.set(id, call);
  const args = await argumentsOf(connector, message, call);
  const { pages } = shapeOf(method);
  if (pages !== true) return run(...args);
  // An async generator does nothing before its first page is asked for.
  const iterable = run(...args) as AsyncIterable<unknown>;
  call.pages = iterable[Symbol.asyncIterator]();
  return undefined;
}

function argumentsOf(connector: Connector, message: Extract<ToWorker, { type: "call" }>, call: Call): Promise<unknown[]> {
  return Promise.all(
    message.args.map(async (value, n) => {
      switch (shapeOf(message.method).args[n]) {
        case "config":
          return parsed(connector, "config", value);
        case "secrets":
          return parsed(connector, "secrets", value);
        case "context":
          return contextOf(connector, message, call);
        default:
          return value;
      }
    }),
  );
}

async function contextOf(connector: Connector, { id, context }: Extract<ToWorker, { type: "call" }>, call: Call) {
  if (context === undefined) throw new Error("A call came without its context.");
  return threadContext({
    of: id,
    values: context,
    config: await parsed(connector, "config", context.config),
    secrets: await parsed(connector, "secrets", context.secrets),
    signal: call.stop.signal,
    connector,
    line: { post, ask: (asks, options = {}) => ask(id, call, asks, options) },
  });
}

async function parsed(connector: Connector, what: "config" | "secrets", value: unknown): Promise<unknown> {
  const result = await parseSettings<unknown>(connector[what], value);
  if (result.ok) return result.value;
  const [first] = result.issues;
  throw new ConnectorError("config", `The endpoint's ${what} does not fit the connector: ${first?.path ?? ""}: ${first?.message ?? ""}.`);
}

async function nextPage(of: number): Promise<unknown> {
  const call = calls.get(of);
  if (call?.pages === undefined) return { done: true };
  const step = await call.pages.next();
  if (step.done === true) calls.delete(of);
  return { done: step.done === true, value: step.value };
}

function ask(
  of: number,
  call: Call,
  asks: Question,
  { transfer = [], signal }: { readonly transfer?: readonly ArrayBuffer[]; readonly signal?: AbortSignal },
): Promise<unknown> {
  if (call.open >= MAX_QUESTIONS) throw new ConnectorError("bug", `A call has at most ${MAX_QUESTIONS} requests under way.`);
  lastQuestion += 1;
  const question = lastQuestion;
  call.open += 1;
  const stop = (): void => post({ type: "question", question: 0, of, asks: { ask: "stop-fetch", question } });
  return new Promise((resolve, reject) => {
    questions.set(question, (settled) => {
      questions.delete(question);
      call.open -= 1;
      signal?.removeEventListener("abort", stop);
      if (settled.ok) resolve(settled.value);
      else reject(receiveError(settled.error));
    });
    port?.postMessage({ type: "question", question, of, asks } satisfies FromWorker, transfer);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

void begin(workerData as WorkerStart);
