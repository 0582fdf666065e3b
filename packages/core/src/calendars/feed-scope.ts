import { z } from "zod";
import { slugSchema, tagSchema } from "../catalog/slug.js";
import type { WindowScope } from "../catalog/window-scope.js";

/** Whose windows a feed shows: everybody's, or those that touch what a team owns, a system, an integration, or what carries a tag. */
export const feedScopeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("all") }),
  z.strictObject({ kind: z.literal("team"), name: z.string().trim().min(1).max(100) }),
  z.strictObject({ kind: z.literal("system"), name: slugSchema }),
  z.strictObject({ kind: z.literal("integration"), name: slugSchema }),
  z.strictObject({ kind: z.literal("tag"), name: tagSchema }),
]);
export type FeedScope = z.output<typeof feedScopeSchema>;
export const feedScopeKinds = ["all", "team", "system", "integration", "tag"] as const satisfies readonly FeedScope["kind"][];

/** What of an integration decides whether a feed is about it. */
export interface FeedIntegration {
  readonly key: string;
  readonly tags: readonly string[];
  readonly ownerTeam: string | null;
  /** The systems on its route. */
  readonly systems: readonly { readonly key: string; readonly ownerTeam: string | null }[];
}

/** Whether a feed shows a window: its own words say so, or one of the integrations that it covers is what the feed is about. */
export function feedShows(
  scope: FeedScope,
  window: { readonly scope: WindowScope; readonly owner: string; readonly covered: readonly FeedIntegration[] },
): boolean {
  switch (scope.kind) {
    case "all":
      return true;
    case "team":
      return (
        window.owner === scope.name ||
        window.covered.some((one) => one.ownerTeam === scope.name || one.systems.some((system) => system.ownerTeam === scope.name))
      );
    case "system":
      return (
        named(window.scope.systems, scope.name) || window.covered.some((one) => one.systems.some((system) => system.key === scope.name))
      );
    case "integration":
      return named(window.scope.integrations, scope.name) || window.covered.some((one) => one.key === scope.name);
    case "tag":
      return named(window.scope.tags, scope.name) || window.covered.some((one) => one.tags.includes(scope.name));
  }
}

function named(names: readonly string[] | undefined, name: string): boolean {
  return names?.includes(name) === true;
}
