import { DomainError, nearestName } from "@quiesce/core";
import { type Connector, isConnector } from "@quiesce/sdk";
import type { Logger } from "pino";
import { type ApiAdapters, apiAdapters } from "./api-adapters.js";
import { endpointFacts } from "./endpoint-facts.js";
import type { ConnectorListing, HostedConnector } from "./hosted-connector.js";
import { type AllowedPackage, type ConnectorListFile, readConnectorList } from "./packages/connector-list.js";
import { findPackage, type FoundPackage } from "./packages/find-package.js";
import { type LoadOptions, loadPackage } from "./packages/load-package.js";
import { packageStamp } from "./packages/package-stamp.js";
import { defaultWorkerLimits, type WorkerLimits } from "./worker/worker-limits.js";

/** How often is looked whether what is taken off has nothing to do any more. */
const DRAIN_LOOK_MS = 200;
/** A connector's own clean-up gets so long when it is taken off, and so long when the server stops. */
const UNLOAD_LIMIT_MS = 2_000;
const STOP_LIMIT_MS = 150;

/** What a reload changed, by the names that endpoints use. */
export interface ReloadResult {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly failed: readonly string[];
}

/** The packages that may be loaded beside the connectors that come with Quiesce. */
export interface PackageOptions {
  readonly list: ConnectorListFile;
  readonly workerEntry?: URL;
  readonly limits?: WorkerLimits;
  readonly adapters?: ApiAdapters;
}

/** All connectors of this server. */
export interface ConnectorRegistry {
  find(name: string): HostedConnector | undefined;
  /** A sentence on why {@link find} has nothing by that name. */
  whyNot(name: string): string;
  listings(): readonly ConnectorListing[];
  /** Keeps a connector from being unloaded until the answer is called. */
  hold(connector: HostedConnector): () => void;
  /** Brings what is loaded to what the list says now. Throws QSC_CONNECTOR_LIST and changes nothing when it cannot be read. */
  reload(): Promise<ReloadResult>;
  close(): Promise<void>;
}

/** A package of the list, loaded or not. */
interface Slot {
  readonly allowed: AllowedPackage;
  /** Differs when something about the package on the disk differs. */
  readonly stamp: string | null;
  readonly name: string;
  readonly hosted: HostedConnector | null;
  readonly failure: string | null;
}

/** Throws QSC_CONNECTOR_INVALID or QSC_CONNECTOR_TWICE for bundled connectors that cannot work. Packages are loaded by {@link ConnectorRegistry.reload}. */
export function createConnectorRegistry(options: {
  readonly bundled: readonly Connector[];
  readonly packages?: PackageOptions | undefined;
  readonly log: Logger;
}): ConnectorRegistry {
  const { packages, log } = options;
  const bundled = bundledByName(options.bundled);
  const load: LoadOptions = {
    adapters: packages?.adapters ?? apiAdapters,
    workerEntry: packages?.workerEntry ?? new URL("./worker/connector-worker.js", import.meta.url),
    limits: packages?.limits ?? defaultWorkerLimits,
    log,
  };
  let slots: readonly Slot[] = [];
  let reloading: Promise<unknown> = Promise.resolve();
  const drain = createDrain(log);
  const find = (name: string): HostedConnector | undefined =>
    bundled.get(name) ?? slots.find((slot) => slot.name === name && slot.hosted !== null)?.hosted ?? undefined;

  const reloadNow = async (): Promise<ReloadResult> => {
    if (packages === undefined) return { added: [], changed: [], removed: [], failed: [] };
    const allowed = await readConnectorList(packages.list);
    const before = slots;
    const wanted: Wanted[] = [];
    for (const one of allowed) {
      const taken = new Set([...bundled.keys(), ...wanted.map(({ name }) => name)]);
      wanted.push(await lookFor(one, { taken, listPath: packages.list.path, load }));
    }
    // At the same time: one that hangs at its import costs its own time and not the sum.
    const after = await Promise.all(wanted.map((one) => slotFor(one, { before, load })));
    slots = after;
    const kept = new Set(after.map(({ hosted }) => hosted));
    for (const { hosted } of before) if (hosted !== null && !kept.has(hosted)) drain.add(hosted);
    const result = compare(before, after);
    for (const { name, failure } of after)
      if (failure !== null) log.error({ connector: name, reason: failure }, "A connector is not loaded; the server works on without it.");
    log.info(result, "The list of connectors was read.");
    return result;
  };
  return {
    find,
    whyNot(name) {
      const failure = slots.find((one) => one.name === name)?.failure ?? null;
      if (failure !== null) return `the connector "${name}" is not loaded: ${failure}`;
      const names = [...bundled.keys(), ...slots.flatMap(({ hosted, name: own }) => (hosted === null ? [] : [own]))];
      const near = nearestName(name, names);
      return `there is no connector "${name}". Loaded are ${names.join(", ")}.${near === undefined ? "" : ` Did you mean "${near}"?`}`;
    },
    listings: () => [
      ...[...bundled.values()].map((hosted) => listingOf(hosted, "loaded")),
      ...slots.map((slot) => (slot.hosted === null ? failedListing(slot) : listingOf(slot.hosted, "loaded"))),
      ...drain.list().map((hosted) => listingOf(hosted, "draining")),
    ],
    hold: (connector) => drain.hold(connector),
    reload() {
      // One after the other: two at once would load everything twice.
      const work = reloading.then(reloadNow);
      reloading = work.catch(() => undefined);
      return work;
    },
    async close() {
      await reloading;
      const all = [...bundled.values(), ...slots.flatMap(({ hosted }) => hosted ?? []), ...drain.list()];
      drain.stop();
      await Promise.allSettled(all.map((hosted) => hosted.close(STOP_LIMIT_MS)));
    },
  };
}

/** A package of the list before its code runs: found, or refused with the reason. */
interface Wanted {
  readonly allowed: AllowedPackage;
  readonly name: string;
  readonly found: { readonly package: FoundPackage; readonly stamp: string } | string;
}

async function lookFor(
  allowed: AllowedPackage,
  options: { readonly taken: ReadonlySet<string>; readonly listPath: string; readonly load: LoadOptions },
): Promise<Wanted> {
  const { taken, listPath, load } = options;
  let name = allowed.alias ?? allowed.package;
  try {
    const found = await findPackage(allowed.package, { listPath, apiVersions: Object.keys(load.adapters).map(Number) });
    name = allowed.alias ?? found.manifest.id;
    if (taken.has(name))
      throw new Error(`the name "${name}" is taken. Give it another one in the list: "alias": "${name.slice(0, 36)}-next"`);
    return { allowed, name, found: { package: found, stamp: await packageStamp(found, allowed) } };
  } catch (error) {
    return { allowed, name, found: wordsOf(error) };
  }
}

async function slotFor(wanted: Wanted, options: { readonly before: readonly Slot[]; readonly load: LoadOptions }): Promise<Slot> {
  const { allowed, name, found } = wanted;
  if (typeof found === "string") return { allowed, stamp: null, name, hosted: null, failure: found };
  const { stamp } = found;
  const same = options.before.find((slot) => slot.stamp === stamp && slot.hosted !== null && slot.hosted.failure() === null);
  if (same !== undefined) return same;
  try {
    return { allowed, stamp, name, hosted: await loadPackage(allowed, found.package, options.load), failure: null };
  } catch (error) {
    return { allowed, stamp, name, hosted: null, failure: wordsOf(error) };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function compare(before: readonly Slot[], after: readonly Slot[]): ReloadResult {
  const old = new Map(before.map((slot) => [slot.name, slot.hosted]));
  const names = new Set(after.map(({ name }) => name));
  const working = after.filter(({ hosted }) => hosted !== null);
  return {
    added: working.filter(({ name }) => (old.get(name) ?? null) === null).map(({ name }) => name),
    changed: working.filter(({ name, hosted }) => (old.get(name) ?? null) !== null && old.get(name) !== hosted).map(({ name }) => name),
    removed: before.filter(({ name, hosted }) => hosted !== null && !names.has(name)).map(({ name }) => name),
    failed: after.filter(({ hosted }) => hosted === null).map(({ name }) => name),
  };
}

/** Those that were taken off: each is closed when nobody holds it and nothing is under way in it. */
function createDrain(log: Logger) {
  const holds = new Map<HostedConnector, number>();
  const waiting = new Set<HostedConnector>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    for (const hosted of waiting) {
      if ((holds.get(hosted) ?? 0) > 0 || hosted.isBusy()) continue;
      waiting.delete(hosted);
      void hosted
        .close(UNLOAD_LIMIT_MS)
        .catch((error: unknown) => log.warn({ err: error, connector: hosted.name }, "A connector did not close cleanly."));
    }
    if (waiting.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  return {
    add(hosted: HostedConnector): void {
      waiting.add(hosted);
      if (timer !== undefined) return;
      timer = setInterval(look, DRAIN_LOOK_MS);
      timer.unref();
    },
    hold(hosted: HostedConnector): () => void {
      holds.set(hosted, (holds.get(hosted) ?? 0) + 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const left = (holds.get(hosted) ?? 1) - 1;
        if (left > 0) holds.set(hosted, left);
        else holds.delete(hosted);
      };
    },
    list: () => [...waiting],
    stop: () => clearInterval(timer),
  };
}

function listingOf(hosted: HostedConnector, state: "loaded" | "draining"): ConnectorListing {
  const manifest = hosted.connector.toManifest();
  const failure = hosted.failure();
  return {
    name: hosted.name,
    alias: hosted.alias ?? null,
    id: manifest.id,
    package: hosted.package,
    version: hosted.version,
    stability: hosted.stability,
    isolation: hosted.isolation,
    state: failure === null ? state : "failed",
    reason: failure,
    manifest,
  };
}

function failedListing({ allowed, name, failure }: Slot): ConnectorListing {
  return {
    name,
    alias: allowed.alias ?? null,
    id: null,
    package: allowed.package,
    version: null,
    stability: null,
    isolation: allowed.isolation,
    state: "failed",
    reason: failure,
    manifest: null,
  };
}

function bundledByName(list: readonly Connector[]): ReadonlyMap<string, HostedConnector> {
  const byName = new Map<string, HostedConnector>();
  for (const connector of list) {
    if (!isConnector(connector))
      throw new DomainError(
        "QSC_CONNECTOR_INVALID",
        "The list of connectors holds something that defineConnector of this SDK's version did not make.",
      );
    if (byName.has(connector.id))
      throw new DomainError("QSC_CONNECTOR_TWICE", `Two connectors have the id "${connector.id}". Take one of them off the list.`);
    byName.set(connector.id, bundledConnector(connector));
  }
  return byName;
}

function bundledConnector(connector: Connector): HostedConnector {
  return {
    name: connector.id,
    alias: undefined,
    package: null,
    version: connector.version,
    stability: connector.stability,
    isolation: "inline",
    connector,
    limits: connector.limits,
    factsOf: async (wanted) => endpointFacts(connector, wanted),
    migrate: async (config, from) => connector.migrate?.(config, from),
    failure: () => null,
    isBusy: () => false,
    close: async () => connector.close?.(),
  };
}
