import type { FeedScope } from "@quiesce/core";
import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Target } from "../access/targets.js";
import type { KpiScope } from "./kpi-scope.js";

export const storedScopeKinds = ["all", "integration", "system", "team", "tag"] as const;

/** A scope as it is kept; `all` has no name. */
export interface StoredScope {
  readonly kind: (typeof storedScopeKinds)[number];
  readonly name: string;
}

/** Throws QSC_KPI_SCOPE for a scope that names two things. */
export function storedScope(scope: KpiScope): StoredScope {
  const given = storedScopeKinds.flatMap((kind) => {
    const name = kind === "all" ? null : scope[kind];
    return typeof name === "string" ? [{ kind, name }] : [];
  });
  if (given.length > 1)
    throw new DomainError("QSC_KPI_SCOPE", `A scope names one of ${given.map(({ kind }) => kind).join(", ")}, found ${given.length}.`, {
      field: "input.scope",
    });
  return given[0] ?? { kind: "all", name: "" };
}

export function kpiScopeOf({ kind, name }: StoredScope): KpiScope {
  return kind === "all" ? {} : { [kind]: name };
}

/** What somebody must have a right on who changes something of this scope. A tag, as everything, is the deployment's. */
export function targetOfScope({ kind, name }: StoredScope): Target {
  if (kind === "all" || kind === "tag") return { kind: "deployment" };
  return { kind: "feed-scope", scope: { kind, name } satisfies FeedScope };
}

/** In words: "the integration orders". */
export function scopeText({ kind, name }: StoredScope): string {
  return kind === "all" ? "all integrations" : kind === "integration" ? name : `the ${kind} ${name}`;
}

export function scopeJson(scope: StoredScope): SQL {
  return sql`${JSON.stringify(scope)}::text::jsonb`;
}
