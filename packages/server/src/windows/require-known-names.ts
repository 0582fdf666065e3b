import { type CatalogFacts, DomainError, unknownScopeNames, type WindowScope } from "@quiesce/core";

/**
 * A scope with a name that the catalogue does not have would hold less than was meant, without a word. Throws QSC_SCOPE_UNKNOWN. Tags are free words:
 * one that nobody carries yet is fine.
 */
export function requireKnownNames(facts: CatalogFacts, scope: WindowScope): void {
  const { systems, integrations } = unknownScopeNames(facts, scope);
  const unknown = [...systems.map((key) => `system "${key}"`), ...integrations.map((key) => `integration "${key}"`)];
  if (unknown.length === 0) return;
  const more = unknown.length > 5 ? ` (and ${unknown.length - 5} more)` : "";
  throw new DomainError(
    "QSC_SCOPE_UNKNOWN",
    `The scope names what the catalogue does not have: ${unknown.slice(0, 5).join(", ")}${more}. Look at the key, or put it into the catalogue first; quiesce systems and quiesce integrations list what is there.`,
    { field: "scope", details: { systems, integrations } },
  );
}
