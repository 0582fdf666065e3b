import { complexityFromQuery } from "@pothos/plugin-complexity";
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode } from "graphql";
import type { ApiLimits } from "../http/api-limits.js";

interface CostInput {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown };
  readonly context: object;
  readonly limits: ApiLimits;
}

/** Fields of one operation before lists are multiplied. */
const MAX_BREADTH = 500;

interface Weight {
  readonly complexity: number;
  readonly depth: number;
  readonly breadth: number;
}

/** The most that one operation may weigh. */
export function mostOf({ queryCost, queryDepth }: ApiLimits): Weight {
  return { complexity: queryCost, depth: queryDepth, breadth: MAX_BREADTH };
}

const weighed = new WeakSet<object>();

/** Whether the operation of this context was weighed and found within the limits already: its resolvers need not do it again. */
export function wasWeighed(context: object): boolean {
  return weighed.has(context);
}

/**
 * The points of one operation: one a field, times the page size of every list around it. 1 for what its own resolvers will refuse: variables or pages
 * that do not fit, and what costs over `most`.
 */
export function operationCost(input: CostInput): number {
  const { operation, context } = input;
  const most = mostOf(input.limits);
  const weight = known.get(operation) ?? weightOf(input);
  if (operation.variableDefinitions === undefined || operation.variableDefinitions.length === 0) known.set(operation, weight);
  const { complexity, depth, breadth } = weight;
  if (complexity <= most.complexity && depth <= most.depth && breadth <= most.breadth) weighed.add(context);
  else weighed.delete(context);
  return complexity > most.complexity || !Number.isFinite(complexity) ? 1 : Math.max(1, complexity);
}

/** Of operations without variables, whose documents are kept parsed. */
const known = new WeakMap<OperationDefinitionNode, Weight>();
const UNCOUNTABLE: Weight = { complexity: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY, breadth: Number.POSITIVE_INFINITY };

/** Infinite for what cannot be counted, because its resolvers will refuse it. */
function weightOf({ schema, document, operation, variables, context }: CostInput): Weight {
  // The plugin counts the first operation that it finds.
  const definitions = [operation, ...document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)];
  try {
    return complexityFromQuery({ kind: Kind.DOCUMENT, definitions }, { schema, ctx: context, variables: { ...variables } });
  } catch {
    return UNCOUNTABLE;
  }
}
