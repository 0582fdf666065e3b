import { Worker } from "node:worker_threads";
import { ConnectorError, type Context } from "@quiesce/sdk";
import type { Logger } from "pino";
import { clock } from "../../clock.js";
import { type CapturedOutput, captureOutput } from "./captured-output.js";
import {
  type ConnectorDescription,
  type ContextValues,
  type FromWorker,
  type MethodName,
  type Settled,
  shapeOf,
  type ToWorker,
  type WorkerStart,
} from "./protocol.js";
import { receiveError, sendError } from "./send-error.js";
import { type ServedCall, serveCall } from "./serve-call.js";
import { whyOf, wordsOf } from "./stop-words.js";
import type { WorkerLimits } from "./worker-limits.js";

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly changes: boolean;
}

type Sent = Exclude<ToWorker, { type: "abort" | "answer" | "ping" }>;
/** A message before it has its number. */
type Unsent = { [T in Sent["type"]]: Omit<Extract<Sent, { type: T }>, "id"> }[Sent["type"]];

/** One life of a worker. It ends once, for whatever reason, and then everything that waited for it fails. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #limits: WorkerLimits;
  readonly #output: CapturedOutput;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>();
  readonly #served = new Map<number, ServedCall>();
  #lastId = 0;
  #heardAtMs: number;
  #reason: string | null = null;
  #timer: NodeJS.Timeout;
  readonly #described: Promise<ConnectorDescription>;
  #describe: (description: ConnectorDescription) => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;
  #end: (reason: string) => void = () => undefined;
  /** Resolves with the reason when the worker is gone. */
  readonly ended: Promise<string>;

  constructor(options: {
    readonly entry: URL;
    readonly start: WorkerStart;
    /** What people call the connector. */
    readonly name: string;
    readonly limits: WorkerLimits;
    readonly log: Logger;
  }) {
    this.#name = options.name;
    this.#limits = options.limits;
    this.#worker = new Worker(options.entry, {
      workerData: options.start,
      name: `connector ${options.name}`,
      env: {},
      argv: [],
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: options.limits.memoryMb },
    });
    this.#output = captureOutput([this.#worker.stdout, this.#worker.stderr], (line) =>
      options.log.info({ output: line }, "A connector printed."),
    );
    this.#heardAtMs = clock.monotonicMs();
    this.#described = new Promise((resolve, reject) => {
      this.#describe = resolve;
      this.#refuse = reject;
    });
    this.#described.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#worker.on("message", (message: FromWorker) => this.#receive(message));
    this.#worker.on("messageerror", () => this.terminate("it sent something that cannot be read"));
    this.#worker.on("error", (error: unknown) => this.#note(this.#output.mask(wordsOf(error))));
    this.#worker.on("exit", (code) => this.#gone(`it ended by itself with code ${code}`));
    this.#timer = setTimeout(
      () => this.terminate(`it was not ready within ${options.limits.startMs / 1_000} seconds`),
      options.limits.startMs,
    );
  }

  /** What the connector is; rejects with an error in words when it cannot be loaded. */
  describe(): Promise<ConnectorDescription> {
    return this.#described;
  }

  /** Why it has ended or is about to; null while it works. */
  get reason(): string | null {
    return this.#reason;
  }

  get isBusy(): boolean {
    return this.#pending.size > 0 || this.#served.size > 0;
  }

  /** Ends the worker, whatever it does. */
  terminate(reason: string): void {
    this.#note(reason);
    void this.#worker.terminate();
  }

  /** Asks for something that needs no context. */
  request(message: Unsent, changes = false): Promise<unknown> {
    if (this.#reason !== null) return Promise.reject(this.#endedError(false));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, changes });
      try {
        this.#post({ ...message, id });
      } catch (cause) {
        this.#pending.delete(id);
        reject(new ConnectorError("bug", "A value of the host cannot be handed to the connector's worker.", { cause }));
      }
    });
  }

  /** Calls a function of a facet once. */
  async call(method: MethodName, args: readonly unknown[]): Promise<unknown> {
    if (this.#reason !== null) throw this.#endedError(false);
    const { context, sent } = this.#prepare(method, args);
    const work = this.request({ type: "call", method, ...sent }, shapeOf(method).changes === true);
    const id = this.#lastId;
    if (context === undefined) return work;
    const served = serveCall(context);
    this.#served.set(id, served);
    try {
      return await this.#stoppable(id, context.signal, work);
    } finally {
      this.#served.delete(id);
      served.end();
    }
  }

  /** Opens a function of a facet that gives pages. Nothing happens before the first page is asked for. */
  async *pages(method: MethodName, args: readonly unknown[]): AsyncGenerator<unknown, void, void> {
    if (this.#reason !== null) throw this.#endedError(false);
    const { context, sent } = this.#prepare(method, args);
    if (context === undefined) throw new Error(`${method} gives pages and has no context.`);
    const opening = this.request({ type: "call", method, ...sent });
    const of = this.#lastId;
    const served = serveCall(context);
    this.#served.set(of, served);
    let done = false;
    try {
      await this.#stoppable(of, context.signal, opening);
      while (true) {
        const step = (await this.#stoppable(of, context.signal, this.request({ type: "next", of }))) as { done: boolean; value: unknown };
        if (step.done) {
          done = true;
          return;
        }
        yield step.value;
      }
    } catch (thrown) {
      done = true;
      throw thrown;
    } finally {
      // Clean-up may still speak to the system; the caller waits for it no longer than it likes.
      if (!done && this.#reason === null) await this.request({ type: "return", of }).catch(() => undefined);
      this.#served.delete(of);
      served.end();
    }
  }

  #prepare(method: MethodName, args: readonly unknown[]) {
    const kinds = shapeOf(method).args;
    const at = kinds.indexOf("context");
    // The facets' types say so.
    const context = at === -1 ? undefined : (args[at] as Context);
    for (const [n, kind] of kinds.entries()) if (kind === "secrets") this.#hide(args[n]);
    if (context === undefined) return { context, sent: { args } };
    this.#hide(context.secrets);
    const { config, secrets, deadline, meta } = context;
    const values: ContextValues = { config, secrets, deadlineMs: deadline.getTime(), meta };
    return { context, sent: { args: args.map((value, n) => (n === at ? null : value)), context: values } };
  }

  #hide(secrets: unknown): void {
    if (typeof secrets !== "object" || secrets === null) return;
    this.#output.hide(Object.values(secrets).filter((value): value is string => typeof value === "string"));
  }

  /** Tells the worker when the call is to stop, and ends it when the call goes on all the same. */
  async #stoppable(of: number, signal: AbortSignal, work: Promise<unknown>): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#post({ type: "abort", of, why: whyOf(signal) });
      timer = setTimeout(
        () => this.terminate(`a call went on for ${this.#limits.stopGraceMs / 1_000} seconds after it was told to stop`),
        this.#limits.stopGraceMs,
      );
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#reason === null) this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    this.#heardAtMs = clock.monotonicMs();
    switch (message.type) {
      case "ready":
        clearTimeout(this.#timer);
        this.#timer = setInterval(() => this.#beat(), this.#limits.pingEveryMs);
        this.#timer.unref();
        this.#describe(message.description);
        return;
      case "failed":
        this.terminate(this.#output.mask(message.reason));
        return;
      case "settled":
        this.#settle(message.id, message.settled);
        return;
      case "question":
        void this.#answer(message);
        return;
      case "log":
      case "metric":
        this.#served.get(message.of)?.note(message);
        return;
      case "pong":
        if (message.arrayBufferBytes > this.#limits.memoryMb * 1_024 * 1_024)
          this.terminate(
            `it held ${Math.round(message.arrayBufferBytes / 1_024 / 1_024)} MiB in buffers; ${this.#limits.memoryMb} are allowed`,
          );
    }
  }

  #settle(id: number, settled: Settled): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (settled.ok) pending?.resolve(settled.value);
    else pending?.reject(receiveError(settled.error));
  }

  async #answer({ question, of, asks }: Extract<FromWorker, { type: "question" }>): Promise<void> {
    const served = this.#served.get(of);
    try {
      if (served === undefined) throw new ConnectorError("cancelled", "The call that this belongs to has ended.");
      const { value, transfer } = await served.answer(question, asks);
      this.#post({ type: "answer", question, settled: { ok: true, value } }, transfer);
    } catch (thrown) {
      this.#post({ type: "answer", question, settled: { ok: false, error: sendError(thrown) } });
    }
  }

  #beat(): void {
    const silentMs = clock.monotonicMs() - this.#heardAtMs;
    if (silentMs > this.#limits.silenceMs) this.terminate(`it answered nothing for ${Math.round(silentMs / 1_000)} seconds`);
    else this.#post({ type: "ping" });
  }

  /** The first reason is the cause, later ones follow from it. */
  #note(reason: string): void {
    this.#reason ??= reason;
  }

  #gone(reason: string): void {
    this.#note(reason);
    clearTimeout(this.#timer);
    this.#refuse(new Error(this.#reason ?? reason));
    for (const { reject, changes } of this.#pending.values()) reject(this.#endedError(changes));
    this.#pending.clear();
    for (const served of this.#served.values()) served.end();
    this.#end(this.#reason ?? reason);
  }

  #endedError(changes: boolean): ConnectorError {
    const words = `The worker of the connector "${this.#name}" ended: ${this.#reason ?? "it was stopped"}.`;
    const error = new ConnectorError("bug", words, changes ? { ambiguous: true } : {});
    workerEnds.add(error);
    return error;
  }
}

const workerEnds = new WeakSet<Error>();

/** Whether a call failed because its worker ended, which another call may have been the cause of. */
export function isWorkerEnd(thrown: unknown): boolean {
  return thrown instanceof Error && workerEnds.has(thrown);
}
