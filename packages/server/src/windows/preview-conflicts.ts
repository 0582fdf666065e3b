import {
  type CatalogFacts,
  findConflicts,
  type Occurrence,
  reachOfScope,
  windowKindEffects,
  type WindowKind,
  type WindowScope,
} from "@quiesce/core";
import type { Tx } from "../db/client.js";
import { type ConflictKind, isWindowKind, loadOtherHolds, sharedByScope } from "./other-holds.js";

/** Where a plan meets another window or a pause, in time and in what both reach. */
export interface PreviewConflict {
  readonly relation: "overlaps" | "touches";
  readonly kind: ConflictKind;
  /** The other window's key; of a pause, its hold's number. */
  readonly with: string;
  readonly title: string;
  /** The plan's occurrence. */
  readonly localStart: string;
  readonly from: number;
  /** null: without an end. */
  readonly until: number | null;
  /** Both together: what both cover is held for all of this time. */
  readonly heldFrom: number;
  readonly heldUntil: number | null;
  readonly systems: readonly string[];
  readonly integrations: number;
  /** The first of them, and why each side covers it. */
  readonly paths: readonly { readonly integration: string; readonly ownPath: string; readonly otherPath: string }[];
  /** A change inside an approved freeze. */
  readonly blocks: boolean;
}

export interface PreviewConflicts {
  readonly listed: readonly PreviewConflict[];
  readonly overlaps: number;
  readonly touches: number;
}

const maxListed = 200;
const maxPaths = 20;

/** Where these occurrences of a plan meet other windows and pauses that reach what it reaches, over dependencies too. */
export async function previewConflicts(
  tx: Tx,
  input: {
    readonly facts: CatalogFacts;
    readonly plan: { readonly key: string; readonly kind: WindowKind; readonly scope: WindowScope };
    readonly occurrences: readonly Occurrence[];
  },
): Promise<PreviewConflicts> {
  const { facts, plan, occurrences } = input;
  if (occurrences.length === 0) return { listed: [], overlaps: 0, touches: 0 };
  const from = Math.min(...occurrences.map((one) => one.start));
  const to = Math.max(...occurrences.map((one) => one.end));
  const others = await loadOtherHolds(tx, { key: plan.key, from, to });
  const sharedWith = sharedByScope(facts, reachOfScope(facts, plan.scope, windowKindEffects[plan.kind].holds));
  const found = findConflicts({ own: occurrences, others, concerns: (other) => sharedWith(other) !== null, limit: maxListed });
  const systemKeys = new Map(facts.systems.map((one) => [one.id, one.key]));
  const integrationKeys = new Map(facts.integrations.map((one) => [one.id, one.key]));
  const listed = found.listed.map(({ own, other, ...at }) => {
    const shared = sharedWith(other);
    return {
      ...at,
      kind: other.kind,
      with: other.with,
      title: other.title,
      localStart: own.localStart,
      heldFrom: Math.min(own.start, other.start),
      heldUntil: other.end === null ? null : Math.max(own.end, other.end),
      systems: (shared?.systemIds ?? []).map((id) => systemKeys.get(id) ?? ""),
      integrations: shared?.integrations.length ?? 0,
      paths: (shared?.integrations ?? []).slice(0, maxPaths).map(({ integrationId, ...paths }) => ({
        integration: integrationKeys.get(integrationId) ?? "",
        ...paths,
      })),
      blocks: at.relation === "overlaps" && other.binding && (blocks(other.kind, plan.kind) || blocks(plan.kind, other.kind)),
    };
  });
  return { listed, overlaps: found.overlaps, touches: found.touches };
}

const blocks = (one: ConflictKind, other: ConflictKind): boolean =>
  isWindowKind(one) && windowKindEffects[one].blocksChanges && isWindowKind(other) && windowKindEffects[other].changes;
