import type { CallMeta, Json, LogFields, Manifest, SerializedConnectorError, StopReason, WriteIdempotency } from "@quiesce/sdk";

/** What an argument of a facet's function is: the worker makes contexts itself, and parses settings with the connector's own schema. */
export type ArgumentKind = "context" | "value" | "config" | "secrets";

interface MethodShape {
  readonly args: readonly ArgumentKind[];
  /** Gives pages until it is told to stop; otherwise it answers once. */
  readonly pages?: true;
  /** Changes the system: when the worker ends meanwhile, nobody knows whether it did. */
  readonly changes?: true;
}

const verify = { args: ["value", "secrets", "value", "config"] } as const;
const parse = { args: ["value", "config"] } as const;
const handshake = { args: ["value", "secrets"] } as const;

/** Every function of a facet that is called across the border, by its path in the definition. */
export const METHODS = {
  check: { args: ["context"] },
  streams: { args: ["context"] },
  read: { args: ["context", "value"], pages: true },
  listKeys: { args: ["context", "value"], pages: true },
  "write.apply": { args: ["context", "value", "value"], changes: true },
  "push.webhook.verify": verify,
  "push.webhook.parse": parse,
  "push.webhook.handshake": handshake,
  "alerts.pull": { args: ["context", "value"], pages: true },
  "alerts.acknowledge": { args: ["context", "value", "value"], changes: true },
  "alerts.webhook.verify": verify,
  "alerts.webhook.parse": parse,
  "alerts.webhook.handshake": handshake,
  "tracker.fields": { args: ["context"] },
  "tracker.whoAmI": { args: ["context"] },
  "tracker.create": { args: ["context", "value", "value"], changes: true },
  "tracker.update": { args: ["context", "value", "value", "value"], changes: true },
  "tracker.find": { args: ["context", "value"] },
  "tracker.changes": { args: ["context", "value"], pages: true },
  "tracker.webhook.verify": verify,
  "tracker.webhook.parse": parse,
  "tracker.webhook.handshake": handshake,
  "calendar.changes": { args: ["context", "value"], pages: true },
  "calendar.approve": { args: ["context", "value", "value"], changes: true },
  "calendar.webhook.verify": verify,
  "calendar.webhook.parse": parse,
  "calendar.webhook.handshake": handshake,
  "downtime.announce": { args: ["context", "value"], changes: true },
  "downtime.withdraw": { args: ["context", "value"], changes: true },
  "downtime.list": { args: ["context"] },
  catalog: { args: ["context", "value"], pages: true },
  "reconcile.count": { args: ["context", "value"] },
  "reconcile.keys": { args: ["context", "value"] },
  "reconcile.digest": { args: ["context", "value"] },
  "rotate.issue": { args: ["context", "value"], changes: true },
  "rotate.revoke": { args: ["context", "secrets"], changes: true },
  quota: { args: ["context"] },
  notify: { args: ["context", "value", "value"], changes: true },
} as const satisfies { readonly [path: string]: MethodShape };

export type MethodName = keyof typeof METHODS;
export const METHOD_NAMES = Object.keys(METHODS) as readonly MethodName[];

/** A method's shape, with what it does not say left undefined. */
export function shapeOf(method: MethodName): MethodShape {
  return METHODS[method];
}

/** What the host knows of a connector that lives in a worker. */
export interface ConnectorDescription {
  readonly manifest: Manifest;
  readonly methods: readonly MethodName[];
  readonly write?: { readonly idempotency: WriteIdempotency; readonly maxBatch: number };
  readonly rotate?: { readonly secrets: readonly string[] };
  readonly limits?: { readonly requestsPerSecond?: number; readonly concurrency?: number };
}

/** What a worker is started with. */
export interface WorkerStart {
  /** The address of the connector's module. */
  readonly module: string;
  readonly apiVersion: number;
}

/** The parts of a context that are values; the functions among them are asked of the host. */
export interface ContextValues {
  readonly config: unknown;
  readonly secrets: unknown;
  readonly deadlineMs: number;
  readonly meta: CallMeta;
}

/** An error on its way, with the trace that only the log gets. */
export interface SentError extends SerializedConnectorError {
  readonly trace: string;
}

export type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: SentError };

/** From the host to the worker. Answers of the host to the worker's questions are `answer`. */
export type ToWorker =
  | {
      readonly type: "call";
      readonly id: number;
      readonly method: MethodName;
      readonly args: readonly unknown[];
      readonly context?: ContextValues;
    }
  | { readonly type: "next"; readonly id: number; readonly of: number }
  | { readonly type: "return"; readonly id: number; readonly of: number }
  | { readonly type: "validate"; readonly id: number; readonly what: "config" | "secrets"; readonly value: unknown }
  | {
      readonly type: "facts";
      readonly id: number;
      readonly config: unknown;
      readonly secrets: unknown;
      readonly streams: readonly string[];
    }
  | { readonly type: "migrate"; readonly id: number; readonly config: Json; readonly from: number }
  | { readonly type: "close"; readonly id: number }
  | { readonly type: "abort"; readonly of: number; readonly why: StopReason }
  | { readonly type: "answer"; readonly question: number; readonly settled: Settled }
  | { readonly type: "ping" };

/** The bytes and the rest of a request, as far as they cross the border. */
export interface SentRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly redirect: "follow" | "error" | "manual";
  readonly timeoutMs?: number;
  readonly tls?: { readonly cert?: string | undefined; readonly key?: string | undefined; readonly ca?: string | undefined };
}

/** The head of an answer; its body is pulled chunk by chunk under `bodyId`. */
export interface SentResponse {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyId: number | null;
}

/** What a call in the worker asks of its host. */
export type Question =
  | { readonly ask: "fetch"; readonly request: SentRequest }
  | { readonly ask: "pull" | "cancel"; readonly bodyId: number }
  | { readonly ask: "stop-fetch"; readonly question: number }
  | { readonly ask: "resolve-host"; readonly host: string }
  | { readonly ask: "state-get"; readonly name: string }
  | { readonly ask: "state-set"; readonly name: string; readonly value: Json; readonly ttlMs?: number };

/** From the worker to the host. `of` is the call that it belongs to. */
export type FromWorker =
  | { readonly type: "ready"; readonly description: ConnectorDescription }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "settled"; readonly id: number; readonly settled: Settled }
  | { readonly type: "question"; readonly question: number; readonly of: number; readonly asks: Question }
  | {
      readonly type: "log";
      readonly of: number;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: LogFields;
    }
  | {
      readonly type: "metric";
      readonly of: number;
      readonly name: string;
      readonly value: number;
      readonly labels: { readonly [name: string]: string };
    }
  /** `arrayBufferBytes`: what the worker holds beside its heap, which no limit of the platform covers. */
  | { readonly type: "pong"; readonly arrayBufferBytes: number };

/** A chunk of a body is at most so large: 64 KiB. */
export const CHUNK_MAX_BYTES = 65_536;
/** A request of a worker has at most so large a body: 64 MiB. */
export const REQUEST_MAX_BYTES = 64 * 1_024 * 1_024;
