import { type Principal, sortedJson } from "@quiesce/core";
import { type DocumentNode, Kind, type OperationDefinitionNode, visit } from "graphql";

/** Who has the same key gets the same messages: the same document and variables, apart from where it begins, under the same rights. */
export function feedKey(input: {
  readonly query: string;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown };
  readonly principal: Principal;
}): string {
  const { query, document, operation, variables, principal } = input;
  const cursor = cursorVariable(document, operation);
  const declared = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
  const relevant = declared
    .filter((name) => name !== cursor && variables[name] !== undefined)
    .map((name) => [name, variables[name]] as const);
  return JSON.stringify(sortedJson([query, operation.name?.value ?? null, Object.fromEntries(relevant), principal.grants]));
}

/** The variable that only says where to begin, in the usual `liveEvents(after: $after)`. Used elsewhere too, it may change what is answered. */
function cursorVariable(document: DocumentNode, operation: OperationDefinitionNode): string | null {
  const [field, ...more] = operation.selectionSet.selections;
  if (field?.kind !== Kind.FIELD || more.length > 0) return null;
  const value = field.arguments?.find((argument) => argument.name.value === "after")?.value;
  if (value?.kind !== Kind.VARIABLE) return null;
  const name = value.name.value;
  let uses = 0;
  visit(document, {
    Variable: (node) => {
      if (node.name.value === name) uses += 1;
    },
  });
  // Its declaration and this use.
  return uses === 2 ? name : null;
}
