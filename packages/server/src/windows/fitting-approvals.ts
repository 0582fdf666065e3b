import {
  affectedSystems,
  type ApprovalPolicy,
  covered,
  type Criticality,
  fittingPolicies,
  type WindowInput,
  windowKindEffects,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { loadApprovalPolicies } from "./planning-store.js";
import { loadCatalogFacts } from "./store.js";

/** The policies that a window falls under with the catalogue as it is now. */
export async function fittingApprovals(tx: Tx, window: Pick<WindowInput, "kind" | "scope">): Promise<readonly ApprovalPolicy[]> {
  const policies = await loadApprovalPolicies(tx);
  if (policies.length === 0) return [];
  const facts = await loadCatalogFacts(tx);
  const kind = window.kind ?? "maintenance";
  const coveredIds = new Set(covered(facts, window.scope, windowKindEffects[kind].holds).map((one) => one.integrationId));
  const systemIds = new Set(affectedSystems(facts, window.scope));
  const criticalities = await tx.execute<{ criticality: Criticality }>(sql`
    select criticality from system where id = any (${sql.param([...systemIds])}::integer[])
    union select criticality from integration where id = any (${sql.param([...coveredIds])}::integer[])`);
  return fittingPolicies(policies, {
    kind,
    tags: facts.integrations.filter((one) => coveredIds.has(one.id)).flatMap((one) => one.tags),
    systems: facts.systems.filter((one) => systemIds.has(one.id)).map((one) => one.key),
    criticalities: criticalities.map((row) => row.criticality),
  });
}
