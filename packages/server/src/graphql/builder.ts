import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import DataloaderPlugin from "@pothos/plugin-dataloader";
import RelayPlugin from "@pothos/plugin-relay";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import { type Action, can, DomainError } from "@quiesce/core";
import type { RequestContext } from "./request-context.js";

/** An operation may cost this much: one a field, times the page size of every list around it. */
const MAX_COMPLEXITY = 50_000;
/** Fields inside fields inside fields. Introspection is not counted. */
const MAX_DEPTH = 10;
/** Fields of one operation before lists are multiplied. */
const MAX_BREADTH = 500;
/** Lists without a page size are short (the systems of a route, the members of a window). */
const LIST_MULTIPLIER = 10;

export interface ApiTypes {
  Context: RequestContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  AuthScopes: { can: Action };
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
    authScopes: (context) => ({ can: (action) => can(context.principal, action) }),
    unauthorizedError: (_parent, context, info) =>
      new DomainError(
        "QSC_ACCESS_DENIED",
        `The role ${context.principal.role} may not read or do ${info.parentType.name}.${info.fieldName}. Ask an admin for a token with a wider role.`,
        {
          details: { role: context.principal.role, field: `${info.parentType.name}.${info.fieldName}` },
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
    limit: { complexity: MAX_COMPLEXITY, depth: MAX_DEPTH, breadth: MAX_BREADTH },
    complexityError: (kind, result) =>
      new DomainError(
        "QSC_GRAPHQL_TOO_COMPLEX",
        `The operation is too large: ${kind.toLowerCase()} is ${Math.max(result.complexity, 0)} (depth ${result.depth}, breadth ${result.breadth}). Ask for smaller pages (first), fewer fields, or in several requests.`,
        {
          details: {
            complexity: result.complexity,
            depth: result.depth,
            breadth: result.breadth,
            maxComplexity: MAX_COMPLEXITY,
            maxDepth: MAX_DEPTH,
          },
        },
      ),
  },
});

builder.globalConnectionField("totalCount", (t) =>
  t.int({ description: "All items that fit the filter. Counted only when asked for.", resolve: (connection) => connection.countAll() }),
);
