import { z } from "zod";
import { slugSchema, tagSchema } from "../catalog/slug.js";
import { canonicalScope, type WindowScope } from "../catalog/window-scope.js";
import { DomainError } from "../domain-error.js";
import type { ForeignEntity } from "./foreign-window.js";

/** What the entities of another tool are here, by their id or name there. */
export type ScopeMap = ReadonlyMap<string, WindowScope>;

/** Stands for every entity that the map does not name. */
export const ANY_ENTITY = "*";

const targetsSchema = z.record(z.string().min(1), z.union([z.string(), z.array(z.string()).min(1)]));

function mapInvalid(message: string): DomainError {
  return new DomainError("QSC_IMPORT_MAP_INVALID", message, { field: "map" });
}

function scopeOf(target: string): WindowScope {
  if (target === "all") return { all: true };
  const [, kind, key = ""] = /^(system|integration|tag):(.+)$/.exec(target) ?? [];
  const names = [key];
  const fits = kind === "tag" ? tagSchema.safeParse(key).success : slugSchema.safeParse(key).success;
  if (kind !== undefined && fits)
    return kind === "tag" ? { tags: names } : kind === "system" ? { systems: names } : { integrations: names };
  throw mapInvalid(`"${target}" names nothing of Quiesce. Expected system:key, integration:key, tag:name or all.`);
}

/** One scope that covers what each of them covers. */
export function uniteScopes(scopes: readonly WindowScope[]): WindowScope {
  return canonicalScope({
    all: scopes.some((scope) => scope.all === true),
    integrations: scopes.flatMap((scope) => scope.integrations ?? []),
    systems: scopes.flatMap((scope) => scope.systems ?? []),
    tags: scopes.flatMap((scope) => scope.tags ?? []),
  });
}

/**
 * Reads `{ "PIJ90N7": "system:erp", "Shop": ["system:shop", "tag:orders"], "*": "all" }`. Throws DomainError QSC_IMPORT_MAP_INVALID.
 */
export function readScopeMap(value: unknown): ScopeMap {
  const parsed = targetsSchema.safeParse(value);
  if (!parsed.success) throw mapInvalid("The map is no list of names with their targets. Expected such as: PIJ90N7: system:erp");
  return new Map(Object.entries(parsed.data).map(([name, targets]) => [name, uniteScopes([targets].flat().map(scopeOf))]));
}

/** Under which of its names the map has the entity; undefined when it has it under none. */
export function nameInMap(entity: ForeignEntity, map: ScopeMap): string | undefined {
  return [entity.id, entity.label, ANY_ENTITY].find((name) => name !== undefined && map.has(name));
}
