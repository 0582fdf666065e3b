import { z } from "zod";
import { slugSchema, tagSchema } from "./slug.js";

/** So many names at most in one list of a scope; beyond it a tag says the same in one word. */
export const SCOPE_MAX_NAMES = 1_000;

/** What a window or a pause covers, by key: everything, or the union of the named integrations, systems (with their hard dependents) and tags. */
export interface WindowScope {
  readonly all?: boolean | undefined;
  readonly integrations?: readonly string[] | undefined;
  readonly systems?: readonly string[] | undefined;
  /** Covers every integration that carries one of these tags. */
  readonly tags?: readonly string[] | undefined;
}

const names = (item: z.ZodString) => z.array(item).max(SCOPE_MAX_NAMES).optional();

/** Parses a scope. One that names nothing is refused: a window over nothing is always a slip. */
export const windowScopeSchema: z.ZodType<WindowScope> = z
  .strictObject({
    all: z.boolean().optional(),
    integrations: names(slugSchema),
    systems: names(slugSchema),
    tags: names(tagSchema),
  })
  .refine((scope) => !isEmptyScope(scope), {
    message: "The scope names nothing. Name at least one of integrations, systems or tags, or say all: true.",
  });

/** True when a scope covers nothing, whatever the catalogue holds. */
export function isEmptyScope(scope: WindowScope): boolean {
  const count = (scope.integrations?.length ?? 0) + (scope.systems?.length ?? 0) + (scope.tags?.length ?? 0);
  return scope.all !== true && count === 0;
}

/** The one form of a scope: `all` alone, or the lists that are not empty, sorted and without repeats. Two scopes are equal when these are. */
export function canonicalScope(scope: WindowScope): WindowScope {
  if (scope.all === true) return { all: true };
  const integrations = uniqueSorted(scope.integrations);
  const systems = uniqueSorted(scope.systems);
  const tags = uniqueSorted(scope.tags);
  return {
    ...(integrations.length > 0 ? { integrations } : {}),
    ...(systems.length > 0 ? { systems } : {}),
    ...(tags.length > 0 ? { tags } : {}),
  };
}

function uniqueSorted(values: readonly string[] | undefined): readonly string[] {
  return [...new Set(values ?? [])].toSorted();
}
