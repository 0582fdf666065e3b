import { describe, expect, test } from "vitest";
import { formatDuration, parseDurationMs } from "./duration-text.js";
import { nearestName } from "./nearest-name.js";
import { diffWorkspaces, NEW_SECRET_VALUE, type SettledWorkspace } from "./workspace-diff.js";
import { minimalWorkspace, parseWorkspace } from "./workspace-document.js";
import { workspaceProblems } from "./workspace-references.js";
import { usersOf } from "./workspace-users.js";
import type { WorkspaceDocument } from "./workspace-schema.js";

const mapping = { fields: { name: { from: "name" } } };
const small = {
  quiesce: 1,
  systems: [{ key: "erp", dependsOn: [{ system: "db" }] }, { key: "db" }],
  endpoints: [
    { key: "erp-api", system: "erp", connector: "http", config: { url: "http://127.0.0.1:1" }, secrets: { token: { env: "ERP_TOKEN" } } },
    { key: "shop-db", system: "db", connector: "postgres" },
  ],
  integrations: [{ key: "orders", source: "erp-api", target: "shop-db", streams: [{ stream: "orders", mapping }] }],
  jobs: [{ key: "orders-sync", integration: "orders", schedule: { every: "60s" } }],
  windows: [
    {
      key: "sunday",
      title: "ERP",
      start: "2026-01-04T02:00",
      end: "2026-01-04T06:00",
      timeZone: "Europe/Madrid",
      rrule: "FREQ=WEEKLY;BYDAY=SU",
      scope: { systems: ["erp"] },
      owner: "ops",
      reason: "patching",
    },
  ],
};

function parsed(input: unknown): WorkspaceDocument {
  const result = parseWorkspace(input);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.document;
}

/** The problems of shape, or else those of reference, as `path: message`. */
function problemsOf(input: unknown, standing?: WorkspaceDocument): readonly string[] {
  const result = parseWorkspace(input);
  const problems = result.ok ? workspaceProblems(result.document, { standing }) : result.problems;
  return problems.map((problem) => `${problem.path}: ${problem.message}`);
}

const withEntry = (section: string, entry: unknown) => ({ ...small, [section]: [entry] });

describe("a workspace document", () => {
  test("a small one is valid and takes its normal form in one step", () => {
    expect(problemsOf(small)).toEqual([]);
    const document = parsed(small);
    expect(document.jobs[0]).toMatchObject({
      name: "orders-sync",
      schedule: { every: "1m", timeZone: "UTC" },
      timeout: "15m",
      retry: { attempts: 3, backoff: "10s", maxBackoff: "10m" },
    });
    expect(parsed(document)).toEqual(document);
  });

  test("its minimal form leaves out what goes without saying and means the same", () => {
    const minimal = minimalWorkspace(parsed(small));
    expect(minimal["jobs"]).toEqual([{ key: "orders-sync", integration: "orders", schedule: { every: "1m" } }]);
    expect(parsed(minimal)).toEqual({ ...parsed(small), systems: parsed(small).systems.toReversed() });
  });

  test.each<[string, unknown, string]>([
    [
      "an unknown key, with the nearest known one",
      { ...small, integratons: [] },
      ': Unknown key "integratons" (did you mean integrations?). Known here: quiesce, systems, endpoints, integrations, jobs, holidayCalendars, calendars, approvals, teams, windows, sampleRetention.',
    ],
    [
      "an unknown nested key",
      withEntry("systems", { key: "erp", dependOn: [] }),
      'systems[0]: Unknown key "dependOn" (did you mean dependsOn?)',
    ],
    ["a missing version", { systems: [] }, "quiesce: Missing. Expected the format's version: quiesce: 1"],
    [
      "a key that is no slug",
      withEntry("systems", { key: "ERP Main" }),
      'systems[0].key: Found "ERP Main". Expected a key of lower-case letters',
    ],
    [
      "a wrong word of a list of words",
      withEntry("systems", { key: "erp", criticality: "hihg" }),
      'systems[0].criticality: Found "hihg". Expected one of low, medium, high, critical. Did you mean high?',
    ],
    ["a wrong type", withEntry("systems", { key: "erp", tags: "a" }), 'systems[0].tags: Found "a". Expected a list.'],
    [
      "a malformed duration",
      withEntry("jobs", { key: "a", integration: "orders", timeout: "soon" }),
      "jobs[0].timeout: Expected a duration from 1s to 1d",
    ],
    [
      "two kinds of schedule",
      withEntry("jobs", { key: "a", integration: "orders", schedule: { cron: "* * * * *", every: "5m" } }),
      "jobs[0].schedule: Found cron and every, expected exactly one",
    ],
    [
      "a zone beside every",
      withEntry("jobs", { key: "a", integration: "orders", schedule: { every: "5m", timeZone: "Europe/Madrid" } }),
      "jobs[0].schedule.timeZone: every counts elapsed time",
    ],
    ["a scope that names nothing", withEntry("windows", { ...small.windows[0], scope: {} }), "windows[0].scope: The scope names nothing."],
    ["text that PostgreSQL cannot hold", withEntry("systems", { key: "erp", name: "a\u0000b" }), "systems[0].name: The text holds a NUL"],
  ])("is refused with %s", (_, input, message) => {
    expect(problemsOf(input)).toEqual([expect.stringContaining(message)]);
  });

  test("a secret's value is in no problem", () => {
    for (const secrets of [{ token: "hunter2" }, { token: { value: "hunter2", env: "A", file: "b" } }, { token: { value: ["hunter2"] } }]) {
      const problems = problemsOf(withEntry("endpoints", { key: "e", system: "erp", connector: "http", secrets }));
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain("hunter2");
    }
  });

  test("an object that is nested too deep is refused instead of exhausting the stack", () => {
    let config: unknown = 1;
    for (let depth = 0; depth < 5_000; depth += 1) config = { config };
    expect(problemsOf(withEntry("endpoints", { key: "e", system: "erp", connector: "http", config }))).toEqual([
      expect.stringContaining("Nested more than 32 deep"),
    ]);
  });
});

describe("references", () => {
  test.each<[string, unknown, string]>([
    [
      "an unknown system",
      { ...small, endpoints: [{ ...small.endpoints[0], system: "erq" }, small.endpoints[1]] },
      'endpoints[0].system: Found "erq", but there is no system of that key. Did you mean "erp"?',
    ],
    [
      "an unknown endpoint",
      withEntry("integrations", { ...small.integrations[0], source: "erp-ap" }),
      'integrations[0].source: Found "erp-ap", but there is no endpoint of that key. Did you mean "erp-api"?',
    ],
    [
      "an unknown integration",
      withEntry("jobs", { key: "a", integration: "invoices" }),
      'jobs[0].integration: Found "invoices", but there is no integration of that key. Add it under integrations',
    ],
    [
      "an unknown system in a scope",
      withEntry("windows", { ...small.windows[0], scope: { systems: ["erp", "edp"] } }),
      'windows[0].scope.systems[0]: Found "edp"',
    ],
    ["a repeated key", { ...small, systems: [...small.systems, { key: "erp" }] }, 'systems[2].key: Found "erp" again: systems[0]'],
    [
      "a system that depends on itself",
      { ...small, systems: [{ key: "erp", dependsOn: [{ system: "erp" }] }, { key: "db" }] },
      'systems[0].dependsOn[0].system: The system "erp" cannot depend on itself',
    ],
    [
      "via naming the source's system",
      withEntry("integrations", { ...small.integrations[0], via: ["erp"] }),
      'integrations[0].via[0]: Found "erp" in via',
    ],
    [
      "streams without a target",
      withEntry("integrations", { ...small.integrations[0], target: null }),
      "integrations[0].streams: An integration with streams needs a source and a target endpoint; the target is missing",
    ],
    [
      "a mapping whose key is not mapped",
      withEntry("integrations", { ...small.integrations[0], streams: [{ stream: "a", mapping: { ...mapping, key: "id" } }] }),
      "integrations[0].streams[0].mapping.key:",
    ],
    [
      "a cron expression that cannot be read",
      withEntry("jobs", { key: "a", integration: "orders", schedule: { cron: "61 * * * *" } }),
      "jobs[0].schedule.cron:",
    ],
    [
      "an unknown zone",
      withEntry("jobs", { key: "a", integration: "orders", schedule: { cron: "0 2 * * *", timeZone: "Europe/Madird" } }),
      "jobs[0].schedule.timeZone:",
    ],
    ["a window that ends before it starts", withEntry("windows", { ...small.windows[0], end: "2026-01-04T01:00" }), "windows[0].end:"],
    [
      "a window whose rule misses its start",
      withEntry("windows", { ...small.windows[0], rrule: "FREQ=WEEKLY;BYDAY=MO" }),
      "windows[0].start:",
    ],
  ])("%s is named with its path", (_, input, message) => {
    expect(problemsOf(input)).toEqual([expect.stringContaining(message)]);
  });

  test("what stands already may be referred to", () => {
    const part = { quiesce: 1, jobs: [{ key: "second", integration: "orders" }] };
    expect(problemsOf(part)).toHaveLength(1);
    expect(problemsOf(part, parsed(small))).toEqual([]);
  });

  test("an endpoint that moves to a system in the via of a standing integration is refused", () => {
    const standing = parsed({
      ...small,
      systems: [...small.systems, { key: "mid" }],
      integrations: [{ key: "orders", source: "erp-api", via: ["mid"] }],
    });
    const moved = { quiesce: 1, endpoints: [{ key: "erp-api", system: "mid", connector: "http" }] };
    expect(problemsOf(moved, standing)).toEqual([expect.stringContaining('Found "mid" in via of integration "orders"')]);
  });

  test("cycles of dependencies are allowed", () => {
    expect(
      problemsOf({
        quiesce: 1,
        systems: [
          { key: "a", dependsOn: [{ system: "b" }] },
          { key: "b", dependsOn: [{ system: "a" }] },
        ],
      }),
    ).toEqual([]);
  });

  test("the users of a thing are named", () => {
    expect(usersOf(parsed(small), "systems", "erp")).toEqual(['endpoint "erp-api"', 'window "sunday"']);
    expect(usersOf(parsed(small), "systems", "db")).toEqual(['system "erp"', 'endpoint "shop-db"']);
    const watched = { ...small, systems: [{ key: "erp", monitoredBy: [{ endpoint: "shop-db", resources: ["erp"] }] }, { key: "db" }] };
    expect(usersOf(parsed(watched), "endpoints", "shop-db")).toEqual(['system "erp"', 'integration "orders"']);
    expect(usersOf(parsed(small), "integrations", "orders")).toEqual(['job "orders-sync"']);
  });
});

const settled = (input: unknown, fingerprint = "hmac-1"): SettledWorkspace => {
  const document = parsed(input);
  const secrets = { token: { source: "env:ERP_TOKEN", fingerprint } };
  const endpoints = document.endpoints.map((one) => ({ ...one, secrets: one.key === "erp-api" ? secrets : {} }));
  const teams = document.teams.map((one) => ({ ...one, webhooks: one.webhooks.map((hook) => ({ ...hook, secret: secrets.token })) }));
  const calendars = document.calendars.map((one) => ({ ...one, url: secrets.token }));
  return { ...document, endpoints, teams, calendars };
};
const nothing = settled({ quiesce: 1 });

describe("the difference of two workspaces", () => {
  test("things are made before those that refer to them and deleted after them", () => {
    const made = diffWorkspaces(nothing, settled(small), { prune: false }).map((one) => `${one.action} ${one.kind} ${one.key}`);
    expect(made).toEqual([
      "create system db",
      "create system erp",
      "create endpoint erp-api",
      "create endpoint shop-db",
      "create integration orders",
      "create job orders-sync",
      "create window sunday",
    ]);
    const deleted = diffWorkspaces(settled(small), nothing, { prune: true }).map((one) => `${one.action} ${one.kind} ${one.key}`);
    expect(deleted).toEqual([
      "delete window sunday",
      "delete job orders-sync",
      "delete integration orders",
      "delete endpoint erp-api",
      "delete endpoint shop-db",
      "delete system db",
      "delete system erp",
    ]);
  });

  test("without prune nothing is ever deleted", () => {
    expect(diffWorkspaces(settled(small), nothing, { prune: false })).toEqual([]);
  });

  test("an update names the fields with their values before and after", () => {
    const wanted = { ...small, jobs: [{ ...small.jobs[0], schedule: { cron: "0 2 * * *", timeZone: "Europe/Madrid" }, timeout: "30m" }] };
    expect(diffWorkspaces(settled(small), settled(wanted), { prune: true })).toEqual([
      {
        action: "update",
        kind: "job",
        key: "orders-sync",
        changes: [
          { path: "schedule.every", before: "1m", after: undefined },
          { path: "schedule.timeZone", before: "UTC", after: "Europe/Madrid" },
          { path: "schedule.cron", before: undefined, after: "0 2 * * *" },
          { path: "timeout", before: "15m", after: "30m" },
        ],
      },
    ]);
  });

  test("a new secret value shows as fingerprints only", () => {
    expect(diffWorkspaces(settled(small), settled(small, NEW_SECRET_VALUE), { prune: true })).toEqual([
      {
        action: "update",
        kind: "endpoint",
        key: "erp-api",
        changes: [{ path: "secrets.token.fingerprint", before: "hmac-1", after: NEW_SECRET_VALUE }],
      },
    ]);
  });

  test("to confirm a long window is no property of it", () => {
    const confirmed = withEntry("windows", { ...small.windows[0], confirmLong: true });
    expect(diffWorkspaces(settled(small), settled(confirmed), { prune: true })).toEqual([]);
  });
});

describe("words", () => {
  test("durations read and written give the same milliseconds", () => {
    for (const ms of [0, 1, 200, 1_000, 90_000, 60_000, 3_600_000, 86_400_000, 90_061_001])
      expect(parseDurationMs(formatDuration(ms))).toBe(ms);
    expect(parseDurationMs("5 m")).toBeUndefined();
  });
  test("the nearest name has few typing errors, or there is none", () => {
    expect(nearestName("shcedule", ["schedule", "scope"])).toBe("schedule");
    expect(nearestName("warehouse", ["erp", "crm"])).toBeUndefined();
  });
});
