import type { AccessScope } from "./scope.js";
import type { Grant } from "./can.js";

/** Those of the wanted grants that the held ones contain: a person's token never does more than the person may now. */
export function withinGrants(wanted: readonly Grant[], held: readonly Grant[]): readonly Grant[] {
  return wanted.filter(({ role, scope }) => held.some((one) => (one.role === role || one.role === "admin") && contains(one.scope, scope)));
}

function contains(outer: AccessScope, inner: AccessScope): boolean {
  if (outer.kind === "all") return true;
  return inner.kind !== "all" && outer.kind === inner.kind && outer.name === inner.name;
}
