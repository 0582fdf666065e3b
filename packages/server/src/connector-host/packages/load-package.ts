import { type Connector, facetsOf } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { ApiAdapters } from "../api-adapters.js";
import { endpointFacts } from "../endpoint-facts.js";
import type { HostedConnector } from "../hosted-connector.js";
import { startWorkerConnector } from "../worker/worker-connector.js";
import type { WorkerLimits } from "../worker/worker-limits.js";
import type { AllowedPackage } from "./connector-list.js";
import { type FoundPackage, PackageRefusal } from "./find-package.js";
import { packageDigest } from "./package-digest.js";

export interface LoadOptions {
  readonly adapters: ApiAdapters;
  /** The module that a worker begins with. */
  readonly workerEntry: URL;
  readonly limits: WorkerLimits;
  readonly log: Logger;
}

/** Checks a found package and runs it: in a worker of its own, or here. Throws a PackageRefusal or whatever the package threw. */
export async function loadPackage(allowed: AllowedPackage, found: FoundPackage, options: LoadOptions): Promise<HostedConnector> {
  if (allowed.integrity !== undefined) {
    const digest = await packageDigest(found.folder);
    if (digest !== allowed.integrity)
      throw new PackageRefusal(
        `its files are not those of the integrity in the list. Found ${digest}, expected ${allowed.integrity}. Install the package again, or, if it was meant to change, write the found value into the list.`,
      );
  }
  const name = allowed.alias ?? found.manifest.id;
  const facts = { name, alias: allowed.alias, package: found.name, version: found.version, stability: found.manifest.stability };
  if (allowed.isolation === "inline") {
    const connector = await importedHere(found, options.adapters);
    refuseMismatch(found, connector.id, facetsOf(connector));
    return {
      ...facts,
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
  const worker = await startWorkerConnector({
    entry: options.workerEntry,
    start: { module: found.module, apiVersion: found.manifest.apiVersion },
    name,
    limits: options.limits,
    log: options.log.child({ connector: name }),
  });
  try {
    const { id, facets } = worker.connector.toManifest();
    refuseMismatch(found, id, facets);
  } catch (error) {
    await worker.close(0);
    throw error;
  }
  const { connector, limits, facts: factsOf, migrate, failure, isBusy, close } = worker;
  return { ...facts, isolation: "worker", connector, limits, factsOf, migrate, failure, isBusy, close };
}

/** A query of its own for each load: modules are kept for ever by their address, and a reload wants what is on the disk now. */
let loads = 0;

async function importedHere(found: FoundPackage, adapters: ApiAdapters): Promise<Connector> {
  const { apiVersion } = found.manifest;
  loads += 1;
  const module: { readonly default?: unknown } = await import(`${found.module}?load=${loads}`);
  const connector = adapters[apiVersion]?.(module.default);
  if (connector === undefined)
    throw new PackageRefusal(
      `its entry does not export as default what defineConnector gave for apiVersion ${apiVersion}. Correct the module that quiesce.entry names.`,
    );
  return connector;
}

/** What the package said of itself before it ran has to be true. */
function refuseMismatch({ manifest }: FoundPackage, id: string, facets: readonly string[]): void {
  if (id !== manifest.id)
    throw new PackageRefusal(`its package.json says quiesce.id "${manifest.id}", its definition "${id}". Make both the same.`);
  const said = [...manifest.facets].toSorted().join(", ");
  const has = [...facets].toSorted().join(", ");
  if (said !== has)
    throw new PackageRefusal(`its package.json says quiesce.facets ${said}; its definition has ${has || "none"}. Make both the same.`);
}
