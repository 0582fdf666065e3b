import {
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from "graphql";
import type { ApiLimits } from "../http/api-limits.js";

/** Fields are counted after every fragment is put in its places: fragments that double each other would otherwise grow beyond all bounds. */
type DocumentLimits = Pick<ApiLimits, "queryFields" | "queryAliases" | "queryDirectives">;
/** As deep as the introspection query of common tools goes, and a little more. Other operations are held to the builder's depth. */
const MAX_INTROSPECTION_DEPTH = 20;

interface Size {
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
  readonly depth: number;
}

const NOTHING: Size = { fields: 0, aliases: 0, directives: 0, depth: 0 };

/** A validation rule: the document's size with all fragments unfolded, counted once a fragment, so that counting itself stays cheap. */
export function documentLimits(limits: DocumentLimits): (context: ValidationContext) => ASTVisitor {
  return (context) => ({
    Document: (document: DocumentNode) => {
      for (const definition of document.definitions) {
        if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
        const problem = problemOf(sizeOf(document, definition), limits);
        if (problem === null) continue;
        context.reportError(
          new GraphQLError(
            `The operation has ${problem.found} ${problem.what}; at most ${problem.most} are allowed. Ask in several requests.`,
            {
              nodes: [definition],
              extensions: { code: "QSC_GRAPHQL_TOO_COMPLEX", details: { [problem.what]: problem.found, max: problem.most } },
            },
          ),
        );
      }
      return false;
    },
  });
}

function problemOf(size: Size, limits: DocumentLimits): { readonly what: string; readonly found: number; readonly most: number } | null {
  const { queryFields, queryAliases, queryDirectives } = limits;
  if (size.fields > queryFields) return { what: "fields", found: size.fields, most: queryFields };
  if (size.aliases > queryAliases) return { what: "aliases", found: size.aliases, most: queryAliases };
  if (size.directives > queryDirectives) return { what: "directives", found: size.directives, most: queryDirectives };
  if (size.depth > MAX_INTROSPECTION_DEPTH) return { what: "levels", found: size.depth, most: MAX_INTROSPECTION_DEPTH };
  return null;
}

function sizeOf(document: DocumentNode, operation: OperationDefinitionNode): Size {
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const known = new Map<string, Size>();
  const sizeOfFragment = (name: string): Size => {
    const size = known.get(name);
    if (size !== undefined) return size;
    // A fragment inside itself is another rule's to refuse; here it only must end.
    known.set(name, NOTHING);
    const fragment = fragments.get(name);
    const counted =
      fragment === undefined
        ? NOTHING
        : plus(sizeOfSelections(fragment.selectionSet), { ...NOTHING, directives: fragment.directives?.length ?? 0 });
    known.set(name, counted);
    return counted;
  };
  const sizeOfSelections = (selections: SelectionSetNode): Size => {
    let total = NOTHING;
    for (const node of selections.selections) {
      const directives = { ...NOTHING, directives: node.directives?.length ?? 0 };
      if (node.kind === Kind.FRAGMENT_SPREAD) total = plus(total, plus(sizeOfFragment(node.name.value), directives));
      else if (node.kind === Kind.INLINE_FRAGMENT) total = plus(total, plus(sizeOfSelections(node.selectionSet), directives));
      else {
        const inside = node.selectionSet === undefined ? NOTHING : sizeOfSelections(node.selectionSet);
        const own = {
          fields: 1 + inside.fields,
          aliases: inside.aliases + (node.alias === undefined ? 0 : 1),
          directives: inside.directives,
          depth: inside.depth + 1,
        };
        total = plus(total, plus(own, directives));
      }
    }
    return total;
  };
  return plus(sizeOfSelections(operation.selectionSet), { ...NOTHING, directives: operation.directives?.length ?? 0 });
}

function plus(one: Size, other: Size): Size {
  return {
    fields: one.fields + other.fields,
    aliases: one.aliases + other.aliases,
    directives: one.directives + other.directives,
    depth: Math.max(one.depth, other.depth),
  };
}
