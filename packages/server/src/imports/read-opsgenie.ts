import type { ForeignEntity, ForeignWindow, ImportFacts } from "@quiesce/core";
import { documentInvalid, isMembers, textOf, undocumentedRecurrence, windowBetween } from "./foreign-document.js";

const DOCUMENTED = ["id", "status", "time", "description", "rules"];
const ENDED = ["past", "cancelled"];

function entitiesOf(rules: unknown): { readonly entities: readonly ForeignEntity[]; readonly problems: readonly string[] } {
  if (!Array.isArray(rules) || rules.length === 0)
    return {
      entities: [],
      problems: ["It names no rules. The list of maintenances leaves them out: ask for each by its id, and import those answers."],
    };
  const entities: ForeignEntity[] = [];
  const problems: string[] = [];
  for (const [index, rule] of rules.entries()) {
    const { entity, state } = isMembers(rule) ? rule : {};
    const id = isMembers(entity) ? textOf(entity["id"]) : undefined;
    const type = isMembers(entity) ? textOf(entity["type"]) : undefined;
    if (id === undefined) problems.push(`rules[${index}] names no entity.`);
    // A policy that is switched on for the time of a maintenance is no system that is away.
    else if (state === "enabled")
      problems.push(`rules[${index}] switches the ${type ?? "entity"} ${id} on for the time; nothing here corresponds to that.`);
    else entities.push({ id });
  }
  return { entities, problems };
}

function foreignWindow(value: unknown, index: number, facts: ImportFacts): ForeignWindow {
  const entry = isMembers(value) ? value : {};
  const id = textOf(entry["id"]) ?? `data[${index}]`;
  const base = { name: textOf(entry["description"]) ?? id, id, entities: [] };
  if (ENDED.includes(String(entry["status"]))) return { ...base, series: [], over: true, problems: [] };
  const time = isMembers(entry["time"]) ? entry["time"] : {};
  if (time["type"] === "indefinitely")
    return { ...base, series: [], over: false, problems: ["It has no end. A hold without an end is a pause: quiesce pause."] };
  const rules = entitiesOf(entry["rules"]);
  const between = windowBetween(
    { field: "time.startDate", value: time["startDate"] },
    { field: "time.endDate", value: time["endDate"] },
    facts.now,
  );
  if (between.over) return { ...base, ...between };
  const problems = [...between.problems, ...rules.problems, ...undocumentedRecurrence(entry, DOCUMENTED)];
  return { ...base, entities: rules.entities, series: between.series, over: false, problems };
}

/** What Opsgenie's maintenance API answers, for one or a list. https://docs.opsgenie.com/docs/maintenance-api */
export function readOpsgenie(value: unknown, facts: ImportFacts): readonly ForeignWindow[] {
  const data = isMembers(value) && value["data"] !== undefined ? value["data"] : value;
  const entries: readonly unknown[] = Array.isArray(data) ? data : [data];
  if (!entries.every((entry) => isMembers(entry) && entry["time"] !== undefined))
    throw documentInvalid(
      "Found something without time, expected what the maintenance API of Opsgenie answers: data with id, status, time, description and rules.",
    );
  return entries.map((entry, index) => foreignWindow(entry, index, facts));
}
