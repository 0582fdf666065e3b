import { parseDurationMs, type SystemEntry } from "@quiesce/core";
import { inArray, sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { system, systemDependency } from "../table.js";
import { idOf, idsOfKeys, inChunks } from "./key-ids.js";

/** Writes systems with their dependencies as they are given; both are replaced whole. Who watches them is written when the endpoints are: save-monitors.ts. */
export async function saveSystems(tx: Tx, entries: readonly SystemEntry[]): Promise<void> {
  for (const some of inChunks(entries)) {
    await tx
      .insert(system)
      .values(
        some.map(({ dependsOn: _dependsOn, monitoredBy: _monitoredBy, resumeSpacing, ...entry }) => ({
          ...entry,
          resumeSpacingMs: parseDurationMs(resumeSpacing) ?? 0,
        })),
      )
      .onConflictDoUpdate({
        target: system.key,
        set: {
          name: sql`excluded.name`,
          kind: sql`excluded.kind`,
          description: sql`excluded.description`,
          ownerTeam: sql`excluded.owner_team`,
          vendor: sql`excluded.vendor`,
          criticality: sql`excluded.criticality`,
          environment: sql`excluded.environment`,
          jurisdiction: sql`excluded.jurisdiction`,
          tags: sql`excluded.tags`,
          maxConcurrentRuns: sql`excluded.max_concurrent_runs`,
          resumeSpacingMs: sql`excluded.resume_spacing_ms`,
          updatedAt: sql`app_now()`,
        },
      });
  }
  // All systems are there before the first dependency: cycles are allowed.
  const ids = await idsOfKeys(tx, system, [
    ...entries.map((entry) => entry.key),
    ...entries.flatMap((entry) => entry.dependsOn.map((edge) => edge.system)),
  ]);
  for (const some of inChunks(entries)) {
    await tx.delete(systemDependency).where(
      inArray(
        systemDependency.systemId,
        some.map((entry) => idOf(ids, entry.key)),
      ),
    );
  }
  const edges = entries.flatMap((entry) =>
    entry.dependsOn.map((edge) => ({ systemId: idOf(ids, entry.key), dependsOnId: idOf(ids, edge.system), strength: edge.strength })),
  );
  for (const some of inChunks(edges)) await tx.insert(systemDependency).values([...some]);
}
