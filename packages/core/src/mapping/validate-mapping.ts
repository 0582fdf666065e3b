import { castValue } from "./cast-value.js";
import { compileExpression } from "./expression.js";
import { mappingSchema, type FieldRule, type Mapping } from "./mapping-schema.js";
import { tableLosses } from "./table-losses.js";

/** What is wrong with a mapping: `path` is dotted into the mapping, empty for the whole. */
export interface MappingProblem {
  readonly path: string;
  readonly message: string;
}

/** A checked mapping, with warnings on what it cannot give back; or what is wrong with it. */
export type MappingCheck =
  | { readonly ok: true; readonly mapping: Mapping; readonly warnings: readonly MappingProblem[] }
  | { readonly ok: false; readonly problems: readonly MappingProblem[] };

/** Checks a mapping when it is saved, so that what can be known before the first record is not found in the middle of a sync. */
export function validateMapping(value: unknown): MappingCheck {
  const parsed = mappingSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => ({
      path: issue.path.map(String).join("."),
      message: issue.message,
    }));
    return { ok: false, problems };
  }
  const mapping = parsed.data;
  const problems: MappingProblem[] = overlappingTargets(mapping);
  const warnings: MappingProblem[] = [];
  if (mapping.key !== undefined && !Object.hasOwn(mapping.fields, mapping.key)) {
    problems.push({
      path: "key",
      message: `found "${mapping.key}", expected one of the mapped fields: ${Object.keys(mapping.fields).join(", ")}`,
    });
  }
  problems.push(...expressionProblemsAt("when", mapping.when));
  for (const [target, rule] of Object.entries(mapping.fields)) {
    const where = `fields.${target}.table`;
    problems.push(
      ...expressionProblemsAt(`fields.${target}.when`, rule.when),
      ...expressionProblemsAt(`fields.${target}.expression`, rule.expression),
      ...tableCastProblems(where, rule),
    );
    const messages = tableLosses(rule).map((message) => ({ path: where, message }));
    (rule.lossless === true ? problems : warnings).push(...messages);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, mapping, warnings };
}

function expressionProblemsAt(path: string, text: string | undefined): readonly MappingProblem[] {
  const compiled = text === undefined ? undefined : compileExpression(text);
  if (compiled === undefined || compiled.ok) return [];
  return compiled.problems.map(({ position, message }) => ({
    path,
    message: position === null ? message : `character ${position}: ${message}`,
  }));
}

function overlappingTargets(mapping: Mapping): MappingProblem[] {
  const targets = new Set(Object.keys(mapping.fields));
  const problems: MappingProblem[] = [];
  for (const target of targets) {
    const names = target.split(".");
    for (let length = 1; length < names.length; length += 1) {
      const parent = names.slice(0, length).join(".");
      if (targets.has(parent)) {
        problems.push({
          path: `fields.${target}`,
          message: `"${parent}" is mapped as a value already, so it cannot have a field below it`,
        });
      }
    }
  }
  return problems;
}

function tableCastProblems(where: string, rule: FieldRule): MappingProblem[] {
  const { cast } = rule;
  if (cast === undefined) return [];
  return Object.entries(rule.table ?? {}).flatMap(([from, to]) => {
    const result = to === null ? undefined : castValue(cast, to);
    return result === undefined || result.ok ? [] : [{ path: `${where}.${from}`, message: `expected ${result.expected}` }];
  });
}
