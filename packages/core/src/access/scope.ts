/** The kinds of scopes, from wide to narrow. Values are the database's and the API's words. */
export const scopeKinds = ["all", "team", "vendor", "system", "integration"] as const;
export type ScopeKind = (typeof scopeKinds)[number];

/** Where a role holds: everywhere, or for what belongs to one team, vendor, system or integration, by key. */
export type AccessScope = { readonly kind: "all" } | { readonly kind: Exclude<ScopeKind, "all">; readonly name: string };

/** What scopes know of a system. */
export interface SystemFacts {
  readonly kind: "system";
  readonly key: string;
  readonly team: string | null;
  readonly vendor: string | null;
}

/** What scopes know of an integration: its own facts, and those of every system on its route. */
export interface IntegrationFacts {
  readonly kind: "integration";
  readonly key: string;
  readonly team: string | null;
  readonly vendor: string | null;
  readonly systems: readonly SystemFacts[];
}

/** The thing that is asked about. What belongs to no system, integration or team belongs to the deployment: only a grant over all covers it. */
export type Resource = SystemFacts | IntegrationFacts | { readonly kind: "team"; readonly key: string } | { readonly kind: "deployment" };

/**
 * Whether a scope covers a thing. Who answers for a system answers for every integration on whose route it is; who answers for an integration does
 * not answer for its systems.
 */
export function covers(scope: AccessScope, resource: Resource): boolean {
  if (scope.kind === "all") return true;
  switch (resource.kind) {
    case "deployment":
      return false;
    case "team":
      return scope.kind === "team" && scope.name === resource.key;
    case "system":
      return isNamed(scope, resource);
    case "integration":
      return isNamed(scope, resource) || resource.systems.some((system) => isNamed(scope, system));
  }
}

function isNamed(scope: Exclude<AccessScope, { kind: "all" }>, resource: SystemFacts | IntegrationFacts): boolean {
  switch (scope.kind) {
    case "team":
      return resource.team === scope.name;
    case "vendor":
      return resource.vendor === scope.name;
    case "system":
    case "integration":
      return resource.kind === scope.kind && resource.key === scope.name;
    default:
      // A kind of scope that this version does not know covers nothing.
      return false;
  }
}

/** "everywhere", "of the team erp", for sentences. */
export function describeScope(scope: AccessScope): string {
  return scope.kind === "all" ? "everywhere" : `of the ${scope.kind} ${scope.name}`;
}
