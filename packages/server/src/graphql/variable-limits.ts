import { DomainError } from "@quiesce/core";

/** Objects and lists inside each other. Inputs of the schema have a handful of levels; the rest is the JSON of records. */
const MAX_VARIABLE_DEPTH = 40;

/** Refuses variables that are nested deeper than anything means. Walks without recursion: the depth is the attacker's to choose. Throws QSC_GRAPHQL_TOO_COMPLEX. */
export function checkVariables(variables: unknown): void {
  let level: readonly unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_VARIABLE_DEPTH + 1)
      throw new DomainError(
        "QSC_GRAPHQL_TOO_COMPLEX",
        `The variables are more than ${MAX_VARIABLE_DEPTH} levels deep. Send a flatter value.`,
        {
          field: "variables",
          details: { maxDepth: MAX_VARIABLE_DEPTH },
        },
      );
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value).filter(isNested) : []));
  }
}

const isNested = (value: unknown): boolean => typeof value === "object" && value !== null;
