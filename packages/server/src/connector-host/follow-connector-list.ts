import { stat } from "node:fs/promises";
import { DomainError } from "@quiesce/core";
import type { Logger } from "pino";
import { systemActor } from "../command.js";
import type { Database } from "../db/client.js";
import { lookRegularly } from "../look-regularly.js";
import type { ConnectorRegistry } from "./connector-registry.js";
import { reloadConnectors } from "./reload-connectors.js";

/** How often is looked whether the list was written anew. Not a watch of the file system: that misses files that are put in another's place. */
const LOOK_EVERY_MS = 2_000;

/** Loads connectors anew when the list's file changes. The answer ends the looking. */
export function followConnectorList(
  context: { readonly database: Database; readonly connectors: ConnectorRegistry; readonly log: Logger },
  options: { readonly path: string; readonly afterWrite: () => void },
): () => Promise<void> {
  const { database, connectors, log } = context;
  let seen: string | undefined;
  const look = async (): Promise<void> => {
    const stamp = await stampOf(options.path);
    const isFirst = seen === undefined;
    if (stamp === seen) return;
    seen = stamp;
    if (isFirst) return;
    await reloadConnectors({ database, actor: systemActor }, { connectors, reason: "the list was written anew" });
    options.afterWrite();
  };
  return lookRegularly(look, {
    everyMs: LOOK_EVERY_MS,
    onFailure: (error) => {
      const words = error instanceof DomainError ? error.message : undefined;
      log.error({ err: error }, words ?? "The list of connectors could not be read again.");
    },
  });
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "absent";
  }
}
