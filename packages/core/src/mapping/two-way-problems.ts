import type { FieldRule, Mapping } from "./mapping-schema.js";
import { tableLosses } from "./table-losses.js";
import type { TwoWay } from "./two-way-schema.js";
import type { MappingProblem } from "./validate-mapping.js";

/** Why the fields of a stream cannot flow both ways as they are declared; empty if they can. Paths are dotted into the stream. */
export function twoWayProblems(stream: {
  readonly mapping: Mapping;
  readonly twoWay?: TwoWay | undefined;
  readonly deletes: "ignore" | "apply";
  readonly push: boolean;
}): readonly MappingProblem[] {
  const { twoWay, mapping } = stream;
  if (twoWay === undefined) return [];
  const problems: MappingProblem[] = [];
  const refuse = (path: string, message: string) => void problems.push({ path, message });
  if (stream.push) refuse("push", "found push with twoWay: pushed records have no source that could be written to; leave one of them out");
  if (stream.deletes !== "apply")
    refuse(
      "deletes",
      "found ignore, expected apply, because with twoWay a change at the target would make a record again that the source has deleted",
    );
  if (mapping.key !== undefined)
    refuse("mapping.key", "found another key, expected none, because with twoWay a record has one key at both sides");
  if (mapping.when !== undefined)
    refuse("mapping.when", "found a condition, expected none, because a record that is passed over could not flow back");
  const targetsOf = new Map<string, string>();
  for (const [field, back] of Object.entries(twoWay.fields)) {
    const path = `twoWay.fields.${field}`;
    const rule = Object.hasOwn(mapping.fields, field) ? mapping.fields[field] : undefined;
    if (rule === undefined) {
      refuse(path, `the mapping makes no field "${field}"; it makes ${Object.keys(mapping.fields).slice(0, 20).join(", ")}`);
      continue;
    }
    for (const message of ruleProblems(field, rule, back)) refuse(path, message);
    const other = rule.from === undefined ? undefined : targetsOf.get(rule.from);
    if (other !== undefined) refuse(path, `"${other}" and "${field}" would both flow back to ${rule.from}; keep one of them`);
    if (rule.from !== undefined) targetsOf.set(rule.from, field);
  }
  return problems;
}

function ruleProblems(field: string, rule: FieldRule, back: TwoWay["fields"][string]): readonly string[] {
  const { from } = rule;
  if (from === undefined)
    return [`"${field}" is made by ${rule.const === undefined ? "an expression" : "a const"}, which cannot be turned round; use from`];
  const nested = [field, from].find((name) => name.includes("."));
  return [
    ...(nested === undefined ? [] : [`"${nested}" is nested, and a part of a value cannot be written alone; use fields of the top level`]),
    ...(rule.when === undefined ? [] : ["it has a condition, so what it was at the source cannot be told; leave when out"]),
    ...(rule.default === undefined ? [] : ["it has a default, so an absent value could not be told from it; leave default out"]),
    ...(rule.cast === undefined || back.cast !== undefined
      ? []
      : [`the mapping casts it to ${rule.cast}; say in cast which type the source expects`]),
    ...tableLosses(rule).map((message) => `the value table cannot be turned round: ${message}`),
  ];
}
