import { useMemo } from "react";
import { useLiveQuery } from "../app/live.js";
import type { Question } from "./kpis-page.js";
import { type Scope, scopeKinds } from "./scope.js";
import {
  IntegrationScopesDocument,
  type IntegrationScopesQuery,
  ThresholdsDocument,
  type ThresholdsQuery,
} from "./thresholds.generated.js";

export type ShownThreshold = ThresholdsQuery["thresholds"]["nodes"][number];
type Facts = NonNullable<IntegrationScopesQuery["integration"]>;

/** Those that are looked through, by their keys; a deployment with more has the command line. */
const MOST_THRESHOLDS = 100;

/** The thresholds that judge something of the scope: of an integration also those that its systems, its team and its tags have. */
export function useThresholds({ scope }: Pick<Question, "scope">) {
  const integration = scope?.kind === "integration" ? scope.key : null;
  const reading = useLiveQuery(ThresholdsDocument, { first: MOST_THRESHOLDS, integration }, { kinds: ["threshold.*"] });
  const facts = useLiveQuery(IntegrationScopesDocument, { key: integration ?? "" }, { isPaused: integration === null });
  const about = integration === null ? null : (facts.data?.integration ?? null);
  const nodes = reading.data?.thresholds.nodes;
  const shown = useMemo(() => (nodes ?? []).filter((one) => judges(one, scope, about)), [nodes, scope, about]);
  return { ...reading, shown, isCut: reading.data?.thresholds.pageInfo.hasNextPage === true };
}

/** Of everything all are shown; of one thing those that name it, of an integration those as well that judge it as one of many. */
export function judges(
  { scope: of }: Pick<ShownThreshold, "scope">,
  scope: Scope | null,
  about: Pick<Facts, "ownerTeam" | "tags" | "systems"> | null,
): boolean {
  if (scope === null || scopeKinds.every((kind) => of[kind] === (kind === scope.kind ? scope.key : null))) return true;
  if (scope.kind !== "integration") return false;
  if (scopeKinds.every((kind) => of[kind] === null)) return true;
  if (about === null) return false;
  return (
    (of.team !== null && of.team === about.ownerTeam) ||
    (of.tag !== null && about.tags.includes(of.tag)) ||
    (of.system !== null && about.systems.some(({ system }) => system.key === of.system))
  );
}

/** Where it is broken, within the scope that is shown. */
export function brokenWithin({ broken }: Pick<ShownThreshold, "broken">, scope: Scope | null): ShownThreshold["broken"] {
  return scope?.kind === "integration" ? broken.filter(({ integration }) => integration.key === scope.key) : broken;
}
