import { DomainError, endpointFindings, unseenKinds } from "@quiesce/core";
import { type Connector, ConnectorError, type Health, isConnector, type Manifest } from "@quiesce/sdk";
import type { Logger } from "pino";
import { saveFindings } from "../catalog/endpoint-finding-store.js";
import { clock } from "../clock.js";
import { readNow } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database } from "../db/client.js";
import { callContext } from "./call-context.js";
import { createEgress } from "./guarded-fetch.js";
import { type EndpointName, loadEndpoint } from "./load-endpoint.js";
import { type AuthenticationWatch, lookAtOrigins, watchAuthentication } from "./look-at-endpoint.js";
import { boundEndpoint, type OpenEndpoint } from "./open-endpoint.js";
import { requirePermit, type RunPermit } from "./run-permit.js";
import { createSecretMask } from "./secret-mask.js";
import { maskedError, settleCall } from "./settle-call.js";

const unknownHealth: Health = { status: "unknown" };
/** A check takes at most so long. */
const CHECK_LIMIT_MS = 10_000;

/**
 * Where connectors live. `checkEndpoint` may be called at any time, during a maintenance window too. Everything else wants a permit, and so a
 * claimed run (run-permit.ts): there is no other way to a connector.
 */
export interface ConnectorHost {
  describeConnectors(): readonly Manifest[];
  /** Asks a system how it is, within ten seconds. Throws ConnectorErrors, and QSC_ENDPOINT_NOT_FOUND. */
  checkEndpoint(endpointKey: string, signal: AbortSignal): Promise<Health>;
  openEndpoint(permit: RunPermit, endpointId: number): Promise<OpenEndpoint>;
  /** Ends connections and lets the connectors release what they hold. */
  close(): Promise<void>;
}

export interface ConnectorHostOptions {
  readonly database: Database;
  /** The allow-list: no other connector can be used. All run inside this process. */
  readonly connectors: readonly Connector[];
  readonly keyRing: KeyRing;
  readonly log: Logger;
  /** Names that may lead any endpoint into private networks. */
  readonly privateHosts?: readonly string[];
}

/** Throws QSC_CONNECTOR_INVALID or QSC_CONNECTOR_TWICE for a list that cannot work. */
export function createConnectorHost(options: ConnectorHostOptions): ConnectorHost {
  const { database, keyRing } = options;
  const connectors = connectorsById(options.connectors);
  const egress = createEgress({ privateHosts: options.privateHosts ?? [] });
  const contextOf = async (
    endpoint: EndpointName,
    call: Pick<RunPermit, "signal" | "mask" | "deadlineMonotonicMs"> & { readonly run?: RunPermit["run"] },
  ) => {
    const { signal, mask, deadlineMonotonicMs, run } = call;
    const unnamed = options.log.child({ runId: run?.runId, attempt: run?.attempt, integration: run?.integrationKey });
    try {
      const loaded = await loadEndpoint(database.db, { endpoint, connectors, keyRing, mask });
      const log = unnamed.child({ endpoint: loaded.key, connector: loaded.connector.id });
      const meta = {
        integrationId: run?.integrationKey ?? "",
        endpointId: loaded.key,
        runId: run?.runId ?? "check",
        attempt: run?.attempt ?? 1,
        dryRun: false,
      };
      const context = callContext({ database, keyRing, egress, endpoint: loaded, signal, deadlineMonotonicMs, mask, log, meta });
      return { ...loaded, context, guard: { signal, mask, log } };
    } catch (thrown) {
      if (thrown instanceof DomainError) throw thrown;
      throw maskedError({ signal, mask, log: unnamed }, thrown);
    }
  };
  /** What a check has seen of the way to the system. It never keeps the check's own answer back. */
  const noteFindings = async (
    opened: Awaited<ReturnType<typeof contextOf>>,
    watch: AuthenticationWatch,
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      const { id, key, privateHosts, connector, config } = opened;
      const reach = { egress, origins: connector.egress(config), privateHosts };
      const facts = await lookAtOrigins({ ...reach, authentication: (origin) => watch.seen(origin), signal });
      const now = await readNow(database.db);
      const findings = facts.flatMap((one) => endpointFindings(one, now));
      const unseen = facts.flatMap((one) => unseenKinds(one).map((kind) => ({ kind, origin: one.origin })));
      await saveFindings({ database }, { endpointId: id, key, findings, unseen });
    } catch (error) {
      options.log.warn({ err: error, endpoint: opened.key }, "What a check found about the way to its system was not written down.");
    }
  };
  return {
    describeConnectors: () => [...connectors.values()].map((connector) => connector.toManifest()),
    async checkEndpoint(endpointKey, signal) {
      const limit = limitedSignal(signal, CHECK_LIMIT_MS);
      try {
        const call = { signal: limit.signal, mask: createSecretMask(), deadlineMonotonicMs: clock.monotonicMs() + CHECK_LIMIT_MS };
        const opened = await contextOf({ key: endpointKey }, call);
        const { connector, context, guard } = opened;
        const watch = watchAuthentication(context.fetch, call.mask);
        const watched = { ...context, fetch: watch.fetch };
        const answer =
          connector.check === undefined
            ? Promise.resolve<Health>({ status: "unknown", message: `The connector "${connector.id}" cannot check its system.` })
            : limit.race(settleCall(guard, async () => connector.check?.(watched) ?? unknownHealth));
        // Also when the check fails: a certificate that has ended is why it does.
        await answer.catch(() => undefined);
        await noteFindings(opened, watch, limit.signal);
        return guard.mask.deep(await answer);
      } finally {
        limit.end();
      }
    },
    async openEndpoint(permit, endpointId) {
      requirePermit(permit);
      const opened = await contextOf({ id: endpointId }, permit);
      return boundEndpoint({ permit, ...opened });
    },
    async close() {
      await Promise.allSettled([...connectors.values()].map(async (connector) => connector.close?.()));
      await egress.close();
    },
  };
}

function connectorsById(list: readonly Connector[]): ReadonlyMap<string, Connector> {
  const byId = new Map<string, Connector>();
  for (const connector of list) {
    if (!isConnector(connector))
      throw new DomainError(
        "QSC_CONNECTOR_INVALID",
        "The list of connectors holds something that defineConnector of this SDK's version did not make.",
      );
    if (byId.has(connector.id))
      throw new DomainError("QSC_CONNECTOR_TWICE", `Two connectors have the id "${connector.id}". Take one of them off the list.`);
    byId.set(connector.id, connector);
  }
  return byId;
}

/** A signal that also ends after a time, and a race that a connector deaf to its signal cannot hold up. */
function limitedSignal(signal: AbortSignal, limitMs: number) {
  const stop = new AbortController();
  const tooLate = new ConnectorError("timeout", `The system did not answer the check within ${limitMs / 1_000} seconds.`);
  let late: (error: ConnectorError) => void = () => undefined;
  const lateness = new Promise<never>((_resolve, reject) => {
    late = reject;
  });
  lateness.catch(() => undefined);
  const timer = setTimeout(() => {
    late(tooLate);
    stop.abort({ why: "timeout" });
  }, limitMs);
  const pass = (): void => stop.abort({ why: "cancel" });
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass, { once: true });
  return {
    signal: stop.signal,
    race: <T>(work: Promise<T>): Promise<T> => Promise.race([work, lateness]),
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", pass);
    },
  };
}
