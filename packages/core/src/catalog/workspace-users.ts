import { type AnyWorkspace, KIND_OF_SECTION } from "./workspace-diff.js";
import type { WorkspaceSection } from "./workspace-schema.js";

/** Who refers to a thing: `endpoint "erp-main"`. What is referred to cannot be deleted. */
export function usersOf(workspace: AnyWorkspace, section: WorkspaceSection, key: string): readonly string[] {
  switch (section) {
    case "systems":
      return [
        ...users(
          "systems",
          keysOf(workspace.systems, (one) => one.dependsOn.some((edge) => edge.system === key)),
        ),
        ...users(
          "endpoints",
          keysOf<AnyWorkspace["endpoints"][number]>(workspace.endpoints, (one) => one.system === key),
        ),
        ...users(
          "integrations",
          keysOf(workspace.integrations, (one) => one.via.includes(key)),
        ),
        ...users(
          "approvals",
          keysOf(workspace.approvals, (one) => one.systems.includes(key)),
        ),
        ...users(
          "windows",
          keysOf(workspace.windows, (one) => one.scope.systems?.includes(key) === true),
        ),
        ...users(
          "calendars",
          keysOf<AnyWorkspace["calendars"][number]>(workspace.calendars, (one) => one.scope.systems?.includes(key) === true),
        ),
      ];
    case "endpoints":
      return [
        ...users(
          "systems",
          keysOf(workspace.systems, (one) => one.monitoredBy.some((monitor) => monitor.endpoint === key)),
        ),
        ...users(
          "integrations",
          keysOf(workspace.integrations, (one) => one.source === key || one.target === key),
        ),
      ];
    case "integrations":
      return [
        ...users(
          "jobs",
          keysOf(workspace.jobs, (one) => one.integration === key),
        ),
        ...users(
          "windows",
          keysOf(workspace.windows, (one) => one.scope.integrations?.includes(key) === true),
        ),
        ...users(
          "calendars",
          keysOf<AnyWorkspace["calendars"][number]>(workspace.calendars, (one) => one.scope.integrations?.includes(key) === true),
        ),
      ];
    case "holidayCalendars":
      return users(
        "windows",
        keysOf(workspace.windows, (one) => one.calendar === key),
      );
    case "jobs":
    case "calendars":
    case "approvals":
    // A team that is gone is a name again: owners may be any text.
    case "teams":
    case "windows":
    case "sampleRetention":
      return [];
  }
}

function users(section: WorkspaceSection, keys: readonly string[]): readonly string[] {
  return keys.map((key) => `${KIND_OF_SECTION[section]} "${key}"`);
}

function keysOf<T extends { readonly key: string }>(list: readonly T[], refers: (entry: T) => boolean): readonly string[] {
  return list.filter(refers).map((entry) => entry.key);
}
