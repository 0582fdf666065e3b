import type { ForeignEntity, ForeignWindow, ImportFacts } from "@quiesce/core";
import { documentInvalid, isMembers, textOf, undocumentedRecurrence, windowBetween } from "./foreign-document.js";

const DOCUMENTED = [
  "id",
  "type",
  "summary",
  "self",
  "html_url",
  "sequence_number",
  "start_time",
  "end_time",
  "description",
  "created_by",
  "services",
  "teams",
];

function foreignWindow(value: unknown, index: number, facts: ImportFacts): ForeignWindow {
  const entry = isMembers(value) ? value : {};
  const id = textOf(entry["id"]) ?? `maintenance_windows[${index}]`;
  const name = textOf(entry["description"]) ?? textOf(entry["summary"]) ?? id;
  const services: readonly unknown[] = Array.isArray(entry["services"]) ? entry["services"] : [];
  // The teams are those of the services; the services are what is away.
  const entities = services.flatMap((service): readonly ForeignEntity[] => {
    const serviceId = isMembers(service) ? textOf(service["id"]) : undefined;
    return serviceId === undefined || !isMembers(service) ? [] : [{ id: serviceId, label: textOf(service["summary"]) }];
  });
  const between = windowBetween(
    { field: "start_time", value: entry["start_time"] },
    { field: "end_time", value: entry["end_time"] },
    facts.now,
  );
  if (between.over) return { name, id, entities, ...between };
  const unnamed = entities.length < services.length ? ["One of its services has no id."] : [];
  const none = services.length === 0 ? ["It names no services."] : [];
  const problems = [...between.problems, ...unnamed, ...none, ...undocumentedRecurrence(entry, DOCUMENTED)];
  return { name, id, entities, series: between.series, over: false, problems };
}

/** What PagerDuty's REST API answers under /maintenance_windows. https://developer.pagerduty.com/api-reference */
export function readPagerDuty(value: unknown, facts: ImportFacts): readonly ForeignWindow[] {
  const answer = isMembers(value) ? value : {};
  const one = answer["maintenance_window"];
  const entries = one === undefined ? answer["maintenance_windows"] : [one];
  if (!Array.isArray(entries))
    throw documentInvalid(
      "Found no maintenance_windows, expected what the REST API of PagerDuty answers: maintenance_windows, a list, or one maintenance_window.",
    );
  return entries.map((entry: unknown, index) => foreignWindow(entry, index, facts));
}
