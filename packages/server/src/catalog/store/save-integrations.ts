import type { IntegrationEntry, SettledWorkspace } from "@quiesce/core";
import { inArray, sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { endpoint, integration, integrationSystem, system } from "../table.js";
import { idOf, idsOfKeys, inChunks } from "./key-ids.js";

/** Writes integrations. Their routes are written apart, see {@link saveRoutes}. */
export async function saveIntegrations(tx: Tx, entries: readonly IntegrationEntry[]): Promise<void> {
  const endpoints = await idsOfKeys(
    tx,
    endpoint,
    entries.flatMap((entry) => [entry.source, entry.target]).filter((key) => key !== null),
  );
  const endpointId = (key: string | null) => (key === null ? null : idOf(endpoints, key));
  for (const some of inChunks(entries)) {
    await tx
      .insert(integration)
      .values(
        some.map(({ source, target, via: _via, ...entry }) => ({
          ...entry,
          sourceEndpointId: endpointId(source),
          targetEndpointId: endpointId(target),
        })),
      )
      .onConflictDoUpdate({
        target: integration.key,
        set: {
          name: sql`excluded.name`,
          description: sql`excluded.description`,
          sourceEndpointId: sql`excluded.source_endpoint_id`,
          targetEndpointId: sql`excluded.target_endpoint_id`,
          streams: sql`excluded.streams`,
          ownerTeam: sql`excluded.owner_team`,
          vendor: sql`excluded.vendor`,
          criticality: sql`excluded.criticality`,
          environment: sql`excluded.environment`,
          jurisdiction: sql`excluded.jurisdiction`,
          tags: sql`excluded.tags`,
          playbookUrl: sql`excluded.playbook_url`,
          idempotent: sql`excluded.idempotent`,
          updatedAt: sql`app_now()`,
        },
      });
  }
}

/**
 * Writes the routes of the integrations that changed and of those whose endpoints changed: an endpoint that moves to another system takes
 * every route through it along. `workspace` is the catalogue as it will be.
 */
export async function saveRoutes(
  tx: Tx,
  input: { readonly workspace: SettledWorkspace; readonly integrations: ReadonlySet<string>; readonly endpoints: ReadonlySet<string> },
): Promise<void> {
  const { workspace } = input;
  const affected = workspace.integrations.filter(
    (one) => input.integrations.has(one.key) || input.endpoints.has(one.source ?? "") || input.endpoints.has(one.target ?? ""),
  );
  const systemOfEndpoint = new Map(workspace.endpoints.map((one) => [one.key, one.system]));
  const routes = affected.map((one) => ({ key: one.key, roles: rolesOf(one, systemOfEndpoint) }));
  const ids = await idsOfKeys(
    tx,
    integration,
    affected.map((one) => one.key),
  );
  const systems = await idsOfKeys(
    tx,
    system,
    routes.flatMap((route) => [...route.roles.keys()]),
  );
  for (const some of inChunks(routes)) {
    await tx.delete(integrationSystem).where(
      inArray(
        integrationSystem.integrationId,
        some.map((route) => idOf(ids, route.key)),
      ),
    );
    const rows = some.flatMap((route) =>
      [...route.roles].map(([key, role]) => ({ integrationId: idOf(ids, route.key), systemId: idOf(systems, key), role })),
    );
    for (const part of inChunks(rows)) await tx.insert(integrationSystem).values([...part]);
  }
}

type Role = "source" | "target" | "via";

/** A system has one role in a route; source goes before target where both are the same system. */
function rolesOf(entry: IntegrationEntry, systemOfEndpoint: ReadonlyMap<string, string>): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>(entry.via.map((key) => [key, "via"]));
  for (const role of ["target", "source"] as const) {
    const key = systemOfEndpoint.get(entry[role] ?? "");
    if (key !== undefined) roles.set(key, role);
  }
  return roles;
}
