import { type Action, actions } from "@quiesce/core";
import type { GraphQLField, GraphQLNamedType, GraphQLSchema } from "graphql";

/** The right that an operation of the schema needs. */
export interface OperationRight {
  readonly kind: "query" | "mutation" | "subscription";
  readonly name: string;
  /** null: everybody who was recognised. */
  readonly action: Action | null;
}

/** `node` and `nodes` answer any type: each type has its own right. */
const byType: ReadonlySet<string> = new Set(["node", "nodes"]);

/** Every operation with its right, from the schema itself. Throws for one that has none: nothing is open by default. */
export function operationRights(schema: GraphQLSchema): readonly OperationRight[] {
  return (["query", "mutation", "subscription"] as const).flatMap((kind) => {
    const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind];
    return Object.values(type?.getFields() ?? {})
      .filter(({ name }) => !byType.has(name))
      .map((field) => ({ kind, name: field.name, action: rightOf(field) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  });
}

/** The right that a field or a type was declared with. Throws when it was declared with none that is known. */
export function rightOf(declared: GraphQLField<unknown, unknown> | GraphQLNamedType): Action | null {
  const options: unknown = declared.extensions["pothosOptions"];
  const scopes = fieldOf(options, "authScopes");
  const wanted = fieldOf(scopes, "can");
  const action = actions.find((one) => one === wanted);
  if (action !== undefined) return action;
  if (fieldOf(scopes, "recognised") === true) return null;
  throw new Error(`${declared.name} says nobody's right: give it authScopes.`);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
