import { DomainError, endpointFindings, unseenKinds } from "@quiesce/core";
import type { Connector, ConnectorFetch, Health } from "@quiesce/sdk";
import type { Logger } from "pino";
import { saveFindings } from "../catalog/endpoint-finding-store.js";
import { clock } from "../clock.js";
import { readNow } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database } from "../db/client.js";
import { sampleCheck } from "../ingest/samples-of-checks.js";
import { sampleFigures } from "../ingest/samples-of-connectors.js";
import { createTokenKeeper } from "./auth/token-keeper.js";
import { callContext } from "./call-context.js";
import { type ConnectorRegistry, createConnectorRegistry, type PackageOptions } from "./connector-registry.js";
import { type DowntimeCalls, downtimeCalls } from "./downtime-calls.js";
import { createEgress } from "./guarded-fetch.js";
import { type CredentialChoice, type EndpointName, loadEndpoint } from "./load-endpoint.js";
import { type AuthenticationWatch, lookAtOrigins, watchAuthentication } from "./look-at-endpoint.js";
import { boundEndpoint, type OpenEndpoint } from "./open-endpoint.js";
import { type NoticeCalls, noticeCalls } from "./notice-calls.js";
import { limitedSignal } from "./limited-signal.js";
import { type RotationCalls, rotationCalls } from "./rotation-calls.js";
import { type WebhookCalls, webhookCalls } from "./webhook-calls.js";
import { requirePermit, type RunPermit } from "./run-permit.js";
import { createSecretMask } from "./secret-mask.js";
import { maskedError, settleCall } from "./settle-call.js";
import { noteCall, readAdmission } from "./traffic/breaker-store.js";
import { openTraffic } from "./traffic/endpoint-traffic.js";
import { isThere, probeOf } from "./traffic/probe-outcome.js";
import { createRequestDelays } from "./traffic/request-delays.js";
import { createRequestPace } from "./traffic/request-pace.js";

const unknownHealth: Health = { status: "unknown" };
/** A check takes at most so long. */
const CHECK_LIMIT_MS = 10_000;

/**
 * Where connectors live. `checkEndpoint` may be called at any time, during a maintenance window too. Reading and writing wants a permit,
 * and so a claimed run (run-permit.ts): there is no other way to records. The steps of a rotation are called by who has taken them (ADR 0027).
 */
export interface ConnectorHost {
  /** Which connectors there are, and their loading. */
  readonly connectors: ConnectorRegistry;
  /** Asks a system how it is, within ten seconds. Throws ConnectorErrors, and QSC_ENDPOINT_NOT_FOUND. */
  checkEndpoint(endpointKey: string, signal: AbortSignal): Promise<Health>;
  /**
   * Asks the system of an endpoint whose breaker is open. `isThere` is null when nobody can say: its connector cannot check, or failed by itself. Throws
   * for what a check throws when there was no answer.
   */
  probeEndpoint(endpointKey: string, signal: AbortSignal): Promise<{ readonly isThere: boolean | null; readonly reason: string | null }>;
  openEndpoint(permit: RunPermit, endpointId: number): Promise<OpenEndpoint>;
  readonly rotation: RotationCalls;
  /** What monitors are told of windows; needs no run, see there. */
  readonly downtime: DowntimeCalls;
  /** What teams are told through endpoints; needs no run, see there. */
  readonly notices: NoticeCalls;
  /** Requests that systems send by themselves. */
  readonly webhooks: WebhookCalls;
  /** Ends connections and lets the connectors release what they hold. */
  close(): Promise<void>;
}

export interface ConnectorHostOptions {
  readonly database: Database;
  /** The connectors that come with the server; they run inside this process. */
  readonly connectors: readonly Connector[];
  /** Packages of others, by the operator's list; they are loaded by `connectors.reload()`. */
  readonly packages?: PackageOptions | undefined;
  readonly keyRing: KeyRing;
  readonly log: Logger;
  /** Names that may lead any endpoint into private networks. */
  readonly privateHosts?: readonly string[];
}

/** Throws QSC_CONNECTOR_INVALID or QSC_CONNECTOR_TWICE for a list that cannot work. */
export function createConnectorHost(options: ConnectorHostOptions): ConnectorHost {
  const { database, keyRing } = options;
  const connectors = createConnectorRegistry({ bundled: options.connectors, packages: options.packages, log: options.log });
  const egress = createEgress({ privateHosts: options.privateHosts ?? [] });
  const pace = createRequestPace(database);
  const delays = createRequestDelays();
  const tokens = createTokenKeeper({ database, keyRing });
  const contextOf = async (
    endpoint: EndpointName,
    call: Pick<RunPermit, "signal" | "mask" | "deadlineMonotonicMs"> & {
      readonly run?: RunPermit["run"];
      readonly credential?: CredentialChoice;
      readonly watch?: (fetch: ConnectorFetch) => ConnectorFetch;
    },
  ) => {
    const { signal, mask, deadlineMonotonicMs, run, credential = "in-force", watch } = call;
    const unnamed = options.log.child({ runId: run?.runId, attempt: run?.attempt, integration: run?.integrationKey });
    try {
      const loaded = await loadEndpoint(database.db, { endpoint, connectors, keyRing, mask, credential });
      const log = unnamed.child({ endpoint: loaded.key, connector: loaded.connector.id });
      const meta = {
        integrationId: run?.integrationKey ?? "",
        endpointId: loaded.key,
        runId: run?.runId ?? "check",
        attempt: run?.attempt ?? 1,
        dryRun: false,
      };
      const traffic = { egress, pace, delays, tokens, watch };
      const context = callContext({ database, keyRing, ...traffic, endpoint: loaded, signal, deadlineMonotonicMs, mask, log, meta });
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
      const { id, key, privateHosts, facts: settings } = opened;
      const reach = { egress, origins: settings.origins, privateHosts };
      const facts = await lookAtOrigins({
        ...reach,
        authentication: (origin) => watch.seen(origin),
        tlsOf: (origin) => watch.tlsOf(origin),
        signal,
      });
      const now = await readNow(database.db);
      const findings = facts.flatMap((one) => endpointFindings(one, now));
      const unseen = facts.flatMap((one) => unseenKinds(one).map((kind) => ({ kind, origin: one.origin })));
      await saveFindings({ database }, { endpointId: id, key, findings, unseen });
    } catch (error) {
      options.log.warn({ err: error, endpoint: opened.key }, "What a check found about the way to its system was not written down.");
    }
  };
  /** Evidence of availability: whether the system is there, unless nobody can say; and the figures that its connector gave with it. */
  const noteCheck = async (
    { id, key }: { readonly id: number; readonly key: string },
    { answer, tookMs }: { readonly answer: Promise<Health>; readonly tookMs: number },
  ): Promise<void> => {
    try {
      const { isThere: ok } = await probeOf(() => answer);
      if (ok !== null) await sampleCheck({ database }, { endpointId: id, ok, tookMs });
      const figures = ok === true ? await answer.then(({ kpis = [] }) => kpis).catch(() => []) : [];
      if (figures.length === 0) return;
      const { refused } = await sampleFigures({ database }, { endpointId: id, figures });
      if (refused !== null) options.log.warn({ endpoint: key, refused }, "Not every figure of a check could be kept.");
    } catch (error) {
      options.log.warn({ err: error, endpoint: key }, "What a check said was not kept as evidence of availability.");
    }
  };
  /** Somebody's check found the system there: its runs need not wait for the next probe. */
  const closeBreaker = async ({ id, key }: { readonly id: number; readonly key: string }): Promise<void> => {
    try {
      const { admission } = await readAdmission(database.db, id);
      if (admission.kind === "wait" && admission.why === "endpoint-away")
        await noteCall({ database }, { id, key }, { kind: "probed", isThere: true, reason: null });
    } catch (error) {
      options.log.warn({ err: error, endpoint: key }, "That an endpoint answers again was not written down.");
    }
  };
  const host: ConnectorHost = {
    connectors,
    async checkEndpoint(endpointKey, signal) {
      const limit = limitedSignal(signal, { limitMs: CHECK_LIMIT_MS, what: "The system did not answer the check" });
      let release = (): void => undefined;
      try {
        const call = { signal: limit.signal, mask: createSecretMask(), deadlineMonotonicMs: clock.monotonicMs() + CHECK_LIMIT_MS };
        const watch = watchAuthentication(call.mask);
        const opened = await contextOf({ key: endpointKey }, { ...call, watch: watch.around });
        const beganMs = clock.monotonicMs();
        release = connectors.hold(opened.hosted);
        const { connector, context, guard } = opened;
        const answer =
          connector.check === undefined
            ? Promise.resolve<Health>({ status: "unknown", message: `The connector "${connector.id}" cannot check its system.` })
            : limit.race(settleCall(guard, async () => connector.check?.(context) ?? unknownHealth));
        // Also when the check fails: a certificate that has ended is why it does.
        await answer.catch(() => undefined);
        if (connector.check !== undefined) await noteCheck(opened, { answer, tookMs: clock.monotonicMs() - beganMs });
        await noteFindings(opened, watch, limit.signal);
        const health = guard.mask.deep(await answer);
        if (isThere(health)) await closeBreaker(opened);
        return health;
      } finally {
        release();
        limit.end();
      }
    },
    async probeEndpoint(endpointKey, signal) {
      const loaded = await loadEndpoint(database.db, { endpoint: { key: endpointKey }, connectors, keyRing, mask: createSecretMask() });
      if (loaded.connector.check === undefined) return { isThere: null, reason: null };
      return probeOf(() => host.checkEndpoint(endpointKey, signal));
    },
    async openEndpoint(permit, endpointId) {
      requirePermit(permit);
      const opened = await contextOf({ id: endpointId }, permit);
      // Its code stays until the run ends, whatever the list says meanwhile.
      const release = connectors.hold(opened.hosted);
      if (permit.signal.aborted) release();
      else permit.signal.addEventListener("abort", release, { once: true });
      const traffic = await openTraffic({ database, log: options.log }, { endpoint: opened, permit });
      return boundEndpoint({ permit, ...opened, traffic });
    },
    rotation: rotationCalls({ contextOf, load: (wanted) => loadEndpoint(database.db, { ...wanted, connectors, keyRing }) }),
    downtime: downtimeCalls({ contextOf, hold: ({ hosted }) => connectors.hold(hosted) }),
    notices: noticeCalls({ contextOf, hold: ({ hosted }) => connectors.hold(hosted) }),
    webhooks: webhookCalls({ load: (wanted) => loadEndpoint(database.db, { ...wanted, connectors, keyRing }) }),
    async close() {
      await connectors.close();
      await pace.close();
      await egress.close();
    },
  };
  return host;
}
