import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import DataloaderPlugin from "@pothos/plugin-dataloader";
import RelayPlugin from "@pothos/plugin-relay";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import { type Action, can, describeGrants, DomainError } from "@quiesce/core";
import { defaultApiLimits } from "../http/api-limits.js";
import { mostOf, wasWeighed } from "./operation-cost.js";
import type { RequestContext } from "./request-context.js";

/** Lists without a page size are short (the systems of a route, the members of a window). */
const LIST_MULTIPLIER = 10;

export interface ApiTypes {
  Context: RequestContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  /** `recognised` is for what everybody may ask about themselves. */
  AuthScopes: { can: Action; recognised: boolean };
  Connection: { countAll: () => Promise<number> };
  Scalars: {
    ID: { Input: string; Output: string | number };
    /** Epoch milliseconds inside, ISO 8601 outside. */
    DateTime: { Input: number; Output: number };
    JSON: { Input: unknown; Output: unknown };
  };
}

/** The page is counted once, at the connection; edges and nodes are the same items again. */
const countedAtConnection = { complexity: { field: 1, multiplier: 1 } } as const;

export const builder = new SchemaBuilder<ApiTypes>({
  plugins: [ScopeAuthPlugin, RelayPlugin, DataloaderPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authorizeOnSubscribe: true,
    runScopesOnType: true,
    authScopes: (context) => ({
      can: (action) => {
        const isAllowed = can(context.principal, action);
        if (isAllowed) context.use?.used(context, action);
        return isAllowed;
      },
      recognised: true,
    }),
    unauthorizedError: (_parent, context, info) =>
      new DomainError(
        "QSC_ACCESS_DENIED",
        `${describeGrants(context.principal.grants) || "Nobody in particular"} may not read or do ${info.parentType.name}.${info.fieldName}. Ask an admin for a wider grant.`,
        {
          details: { grants: describeGrants(context.principal.grants), field: `${info.parentType.name}.${info.fieldName}` },
        },
      ),
  },
  relay: {
    cursorType: "String",
    edgesFieldOptions: { nullable: { list: false, items: false }, description: "The items with their cursors.", ...countedAtConnection },
    nodeFieldOptions: { nullable: false, description: "The item." },
    nodesOnConnection: { description: "The items without cursors.", ...countedAtConnection },
    cursorFieldOptions: { description: "Pass it as `after` to continue behind this item." },
    pageInfoFieldOptions: { description: "Whether there is more, and where to continue." },
    pageInfoTypeOptions: { description: "Where a page stands in its list." },
    hasNextPageFieldOptions: { description: "True when items follow." },
    hasPreviousPageFieldOptions: { description: "True when the page was asked for with `after`." },
    startCursorFieldOptions: { description: "Cursor of the first item." },
    endCursorFieldOptions: { description: "Cursor of the last item: pass it as `after`." },
    nodeTypeOptions: { description: "Anything with a global id." },
    idFieldOptions: { description: "Global id, opaque. Accepted wherever a key is." },
    nodeQueryOptions: { description: "One object by its global id; null when there is none." },
    nodesQueryOptions: { description: "Objects by their global ids, in that order." },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: LIST_MULTIPLIER,
    limit: (context) => (wasWeighed(context) ? {} : mostOf(context.limits ?? defaultApiLimits)),
    complexityError: (kind, result) =>
      new DomainError(
        "QSC_GRAPHQL_TOO_COMPLEX",
        `The operation is too large: ${kind.toLowerCase()} is ${Math.max(result.complexity, 0)} (depth ${result.depth}, breadth ${result.breadth}). Ask for smaller pages (first), fewer fields, or in several requests.`,
        {
          details: {
            complexity: result.complexity,
            depth: result.depth,
            breadth: result.breadth,
            maxComplexity: result.maxComplexity ?? null,
            maxDepth: result.maxDepth ?? null,
          },
        },
      ),
  },
});

builder.globalConnectionField("totalCount", (t) =>
  t.int({ description: "All items that fit the filter. Counted only when asked for.", resolve: (connection) => connection.countAll() }),
);
