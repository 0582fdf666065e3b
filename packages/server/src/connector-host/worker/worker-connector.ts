import { CRASH_WINDOW_MS, decideRestart } from "@quiesce/core";
import { type Connector, ConnectorError, type Json, type SettingsSchema } from "@quiesce/sdk";
import type { Logger } from "pino";
import { clock } from "../../clock.js";
import type { EndpointFacts, FactsWanted } from "../endpoint-facts.js";
import { type ConnectorDescription, type MethodName, shapeOf, type WorkerStart } from "./protocol.js";
import type { WorkerLimits } from "./worker-limits.js";
import { WorkerThread } from "./worker-thread.js";

export interface WorkerConnectorOptions {
  readonly entry: URL;
  readonly start: WorkerStart;
  readonly name: string;
  readonly limits: WorkerLimits;
  readonly log: Logger;
}

/** A connector that lives in a worker of its own, which is started again when it ends. */
export interface WorkerConnector {
  /** The same as the connector in the worker, but every function answers later, and `egress` and its like are asked by `facts`. */
  readonly connector: Connector;
  readonly limits: ConnectorDescription["limits"];
  readonly facts: (wanted: FactsWanted) => Promise<EndpointFacts>;
  /** Asks its `migrate`; answers whatever that gives. */
  readonly migrate: (config: Json, from: number) => Promise<unknown>;
  /** Why it is not started any more; null while it is. */
  readonly failure: () => string | null;
  readonly isBusy: () => boolean;
  readonly close: (limitMs: number) => Promise<void>;
}

/** Starts the worker and asks what the connector is. Rejects with an error in words when it cannot be loaded. */
export async function startWorkerConnector(options: WorkerConnectorOptions): Promise<WorkerConnector> {
  const supervisor = new Supervisor(options);
  const description = await supervisor.start();
  return {
    connector: proxyOf(description, supervisor),
    limits: description.limits,
    facts: async (wanted) => {
      const thread = await supervisor.thread();
      // The worker answers with what endpointFacts gave there.
      return (await thread.request({ type: "facts", ...wanted })) as EndpointFacts;
    },
    migrate: async (config, from) => (await supervisor.thread()).request({ type: "migrate", config, from }),
    failure: () => supervisor.failure,
    isBusy: () => supervisor.isBusy,
    close: (limitMs) => supervisor.close(limitMs),
  };
}

/** Keeps one worker alive. */
class Supervisor {
  readonly #options: WorkerConnectorOptions;
  readonly #crashes: number[] = [];
  #current: Promise<WorkerThread>;
  #latest: WorkerThread | null = null;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Ends the waiting of those who wait for the next start. */
  #giveUpWaiting: (error: Error) => void = () => undefined;
  failure: string | null = null;

  constructor(options: WorkerConnectorOptions) {
    this.#options = options;
    this.#current = Promise.reject(new Error("not started"));
    this.#current.catch(() => undefined);
  }

  async start(): Promise<ConnectorDescription> {
    const thread = new WorkerThread(this.#options);
    this.#latest = thread;
    const description = await thread.describe();
    this.#current = Promise.resolve(thread);
    this.#watch(thread);
    return description;
  }

  /** The worker, when it is ready. */
  async thread(): Promise<WorkerThread> {
    if (this.failure !== null)
      throw new ConnectorError("config", `The connector "${this.#options.name}" is not started any more: ${this.failure}`);
    if (this.#closed) throw new ConnectorError("transient", `The connector "${this.#options.name}" was unloaded.`);
    const thread = await this.#current;
    // It ended between two turns, and the next one is not begun yet.
    if (thread.reason !== null) await thread.ended;
    return thread.reason === null ? thread : this.#current;
  }

  get isBusy(): boolean {
    return this.#latest?.isBusy ?? false;
  }

  async close(limitMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#giveUpWaiting(new ConnectorError("transient", `The connector "${this.#options.name}" was unloaded.`));
    const thread = this.#latest;
    if (thread === null || thread.reason !== null) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([thread.request({ type: "close" }).catch(() => undefined), late]);
    clearTimeout(timer);
    thread.terminate("it was unloaded");
    await thread.ended;
  }

  #watch(thread: WorkerThread): void {
    void thread.ended.then((reason) => {
      if (!this.#closed) this.#restart(reason);
    });
  }

  #restart(reason: string): void {
    const { log, name } = this.#options;
    const now = clock.monotonicMs();
    this.#crashes.push(now);
    while ((this.#crashes[0] ?? now) <= now - CRASH_WINDOW_MS) this.#crashes.shift();
    const verdict = decideRestart(this.#crashes, now);
    if (verdict.kind === "give-up") {
      this.failure = `its worker ended ${verdict.crashes} times within ${verdict.withinMs / 60_000} minutes, at last because ${reason}. Mend or replace the package, then run: quiesce connector reload`;
      log.error({ connector: name, reason }, "A connector is not started any more: its worker ends again and again.");
      return;
    }
    log.warn({ connector: name, reason, afterMs: verdict.afterMs }, "The worker of a connector ended; it is started again.");
    this.#current = new Promise((resolve, reject) => {
      this.#giveUpWaiting = reject;
      this.#timer = setTimeout(() => {
        const thread = new WorkerThread(this.#options);
        this.#latest = thread;
        thread.describe().then(
          () => {
            this.#watch(thread);
            resolve(thread);
          },
          (error: unknown) => {
            reject(
              new ConnectorError(
                "transient",
                `The connector "${name}" did not start again: ${error instanceof Error ? error.message : ""}`,
              ),
            );
            if (!this.#closed) this.#restart(error instanceof Error ? error.message : String(error));
          },
        );
      }, verdict.afterMs);
    });
    this.#current.catch(() => undefined);
  }
}

function proxyOf(description: ConnectorDescription, supervisor: Supervisor): Connector {
  const { manifest, methods, write, rotate, limits } = description;
  const { facets: _facets, config: _config, secrets: _secrets, ...info } = manifest;
  const facets: Record<string, unknown> = {};
  for (const method of methods) place(facets, method, functionFor(method, supervisor));
  const known = { ...facets };
  if (write !== undefined) known["write"] = { ...Object(facets["write"]), ...write };
  if (rotate !== undefined) known["rotate"] = { ...Object(facets["rotate"]), ...rotate };
  const asked = (): never => {
    throw new Error("A connector in a worker is asked for the meaning of settings by its facts.");
  };
  const connector = {
    ...info,
    ...known,
    ...(limits === undefined ? {} : { limits }),
    config: schemaFor("config", supervisor),
    secrets: schemaFor("secrets", supervisor),
    egress: asked,
    toManifest: () => manifest,
  };
  // The worker listed exactly the functions that its connector has.
  return connector;
}

type AnyFunction = (...args: unknown[]) => unknown;

function functionFor(method: MethodName, supervisor: Supervisor): AnyFunction {
  if (shapeOf(method).pages !== true) return async (...args) => (await supervisor.thread()).call(method, args);
  return async function* pages(...args) {
    yield* (await supervisor.thread()).pages(method, args);
  };
}

function place(root: Record<string, unknown>, method: MethodName, value: AnyFunction): void {
  const parts = method.split(".");
  let owner = root;
  for (const part of parts.slice(0, -1)) {
    const next = owner[part] ?? {};
    owner[part] = next;
    owner = next as Record<string, unknown>;
  }
  owner[parts.at(-1) ?? ""] = value;
}

/** Says whether settings fit; they stay as they were entered, because the worker parses them for each call. */
function schemaFor(what: "config" | "secrets", supervisor: Supervisor): SettingsSchema {
  return {
    "~standard": {
      version: 1,
      vendor: "quiesce",
      validate: async (value) => {
        const answer = (await (await supervisor.thread()).request({ type: "validate", what, value })) as
          | { readonly ok: true }
          | { readonly ok: false; readonly issues: readonly { readonly path: string; readonly message: string }[] };
        if (answer.ok) return { value };
        return { issues: answer.issues.map(({ path, message }) => ({ message, path: path === "" ? [] : path.split(".") })) };
      },
    },
  };
}
