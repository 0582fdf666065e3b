import * as fc from "fast-check";

/** JSON as a document holds it. */
type Json = { [name: string]: unknown };

/** What a workspace may say anywhere: also words that YAML would take for something else, and lines of text. */
const words = fc.oneof(
  fc.constantFrom(
    "yes",
    "no",
    "null",
    "~",
    "1e3",
    "0x1f",
    "- item",
    "a: b",
    "# no comment",
    "'",
    '"',
    "multi\nline\n\n text",
    "über ☃",
    "{}",
    "2026-01-01",
    "*star",
    "&amp",
    "!tag",
    "%dir",
    "@at",
    "${HOME}",
    "  ",
  ),
  fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
);
const text = words.filter((value) => !value.includes("\u0000") && value.trim() !== "");
const tag = fc.stringMatching(/^[a-z][a-z:]{0,8}$/);
const keyOf = (prefix: string, count: number) => fc.nat(Math.max(0, count - 1)).map((index) => `${prefix}-${index}`);
/** Some members, with the others left out. */
const some = (members: { [name: string]: fc.Arbitrary<unknown> }) => fc.record(members, { requiredKeys: [] });

const classification = {
  description: text,
  ownerTeam: text,
  vendor: text,
  criticality: fc.constantFrom("low", "medium", "high", "critical"),
  environment: text,
  jurisdiction: text,
  tags: fc.array(tag, { maxLength: 3 }),
};

const scalar = fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
const config = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z0-9_.-]{1,8}$/),
  fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(tag, scalar, { maxKeys: 3 })),
  { maxKeys: 4 },
);
const mapping = fc
  .dictionary(
    fc.stringMatching(/^[a-z]{1,6}$/),
    fc.oneof(fc.record({ from: fc.constantFrom("id", "address.city") }), fc.record({ const: scalar })),
    { minKeys: 1, maxKeys: 3 },
  )
  .map((fields) => ({ fields }));

const schedule = fc.oneof(
  fc.constant(null),
  fc.constantFrom(
    { cron: "0 2 * * *", timeZone: "Europe/Madrid" },
    { cron: "*/5 * * * 1-5" },
    { rrule: "FREQ=DAILY", start: "2026-01-04T02:00", timeZone: "America/Chicago", exdates: ["2026-01-06T02:00"] },
  ),
  fc.record({ every: fc.integer({ min: 1, max: 100_000 }).map((seconds) => `${seconds}s`) }),
  fc.record({ every: fc.constant("90s"), start: fc.constant("2026-01-04T02:00:30") }),
);
const job = some({
  name: text,
  schedule,
  enabled: fc.boolean(),
  catchUp: fc.constantFrom("skip", "coalesce", "all"),
  catchUpMaxAge: fc.constantFrom("1h", "90m", null),
  timeout: fc.integer({ min: 1, max: 86_400 }).map((seconds) => `${seconds}s`),
  retry: some({ attempts: fc.integer({ min: 1, max: 9 }), backoff: fc.constantFrom("1s", "60s"), maxBackoff: fc.constant("5m") }),
});

const series = fc.constantFrom<Json>(
  { start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=WEEKLY;BYDAY=SU" },
  { start: "2027-03-01T22:00:00", duration: "PT4H", timeZone: "UTC", rdates: ["2027-03-03T22:00", "2027-03-02T22:00"] },
  { start: "2027-01-01T00:00", end: "2027-03-01T00:00", timeZone: "Australia/Sydney", confirmLong: true, dstPolicy: "rfc" },
);

const holiday = fc.constantFrom("2026-01-01", "2026-12-25", "2027-01-01", "2026-05-01");
/** What recurs by business days; the calendar is added. */
const businessDays = fc.constantFrom<Json>(
  { start: "2026-03-30T18:00", end: "2026-03-30T23:00", timeZone: "Europe/Madrid", businessDays: { of: "quarter", ordinals: [-2, -1] } },
  {
    start: "2026-01-29T18:00",
    end: "2026-02-01T06:00",
    timeZone: "UTC",
    weekend: ["SA", "FR"],
    holidays: ["2026-08-15", "2026-07-25"],
    businessDays: { of: "month", ordinals: [-2], ends: { days: "calendar", ordinal: 1, period: "next" } },
  },
  { start: "2026-01-01T06:00", duration: "PT2H", timeZone: "America/Chicago", rrule: "FREQ=MONTHLY", onHoliday: "next" },
);

/**
 * Random workspaces as people could write them: references hold, lists in any order, values that are hard to write down. Secrets come from the
 * environment, so that what is exported is what was written.
 */
export const arbitraryWorkspace: fc.Arbitrary<Json> = fc
  .record({
    systems: fc.integer({ min: 1, max: 4 }),
    endpoints: fc.integer({ min: 1, max: 4 }),
    integrations: fc.integer({ min: 1, max: 4 }),
    jobs: fc.nat(4),
    calendars: fc.nat(2),
    feeds: fc.nat(2),
    teams: fc.nat(2),
    approvals: fc.nat(2),
    windows: fc.nat(2),
  })
  .chain((count) => {
    const list = (prefix: string, size: number, entry: fc.Arbitrary<unknown>) =>
      fc
        .array(entry, { minLength: size, maxLength: size })
        .map((entries) => entries.map((one, index) => ({ key: `${prefix}-${index}`, ...(one as Json) })));
    const systemKey = keyOf("sys", count.systems);
    const endpointKey = keyOf("end", count.endpoints);
    const integrationKey = keyOf("int", count.integrations);
    const system = some({
      name: text,
      kind: text,
      ...classification,
      maxConcurrentRuns: fc.integer({ min: 1, max: 9 }),
      resumeSpacing: fc.constantFrom("0s", "5s", "1500ms"),
      dependsOn: fc.uniqueArray(fc.record({ system: systemKey, strength: fc.constantFrom("hard", "soft") }), {
        maxLength: 3,
        selector: (edge) => edge.system,
      }),
      monitoredBy: fc.uniqueArray(
        fc.record(
          {
            endpoint: endpointKey,
            resources: fc.array(fc.constantFrom("erp", "erp!orders-api", "job=erp", 'a "quoted" one'), { minLength: 1, maxLength: 3 }),
            suppress: fc.constantFrom("notifications", "checks"),
          },
          { requiredKeys: ["endpoint", "resources"] },
        ),
        { maxLength: 2, selector: (monitor) => monitor.endpoint },
      ),
    });
    const endpoint = fc.record({
      system: systemKey,
      connector: fc.constantFrom("http", "postgres"),
      config,
      allowPrivate: fc.constantFrom([], ["erp.example.lan"], ["*.example.lan", "10.1.2.3"]),
      secrets: fc.dictionary(fc.constantFrom("token", "password"), fc.record({ env: fc.constantFrom("A_TOKEN", "B_TOKEN") }), {
        maxKeys: 2,
      }),
    });
    const integration = fc
      .record({
        route: fc.record({ source: endpointKey, target: endpointKey }),
        rest: some({
          name: text,
          ...classification,
          playbookUrl: fc.constant("https://wiki.example.com/x?a=b#c"),
          idempotent: fc.boolean(),
        }),
        streams: fc.uniqueArray(
          fc.record(
            {
              stream: text,
              mapping,
              deletes: fc.constantFrom("apply", "ignore"),
              deleteLimit: fc.record({ percent: fc.constantFrom(0, 20, 100), records: fc.constantFrom(50, 7) }),
              push: fc.boolean(),
            },
            { requiredKeys: ["stream", "mapping"] },
          ),
          { maxLength: 2, selector: (one) => one.stream.trim() },
        ),
      })
      .map(({ route, rest, streams }) => ({ ...rest, ...route, streams }));
    const window = fc.record({
      title: text,
      kind: fc.constantFrom("maintenance", "freeze", "change"),
      series: fc.oneof(
        series,
        count.calendars === 0
          ? series
          : fc.tuple(businessDays, keyOf("cal", count.calendars)).map(([one, calendar]) => ({ ...one, calendar })),
      ),
      owner: text,
      reason: text,
      mode: fc.constantFrom("enforce", "observe"),
      scope: fc.oneof(
        fc.constant({ all: true }),
        fc.record({ systems: fc.array(systemKey, { minLength: 1, maxLength: 2 }), tags: fc.array(tag, { maxLength: 2 }) }),
      ),
    });
    return fc.record({
      systems: list("sys", count.systems, system).map((entries) => entries.map((one) => withoutSelf(one as Json))),
      endpoints: list("end", count.endpoints, endpoint),
      integrations: list("int", count.integrations, integration),
      jobs: list(
        "job",
        count.jobs,
        fc.tuple(job, integrationKey).map(([one, owner]) => ({ ...one, integration: owner })),
      ),
      holidayCalendars: list("cal", count.calendars, some({ title: text, dates: fc.array(holiday, { maxLength: 4 }) })),
      calendars: list(
        "feed",
        count.feeds,
        fc.record(
          {
            title: text,
            url: fc.constantFrom({ env: "CALENDAR_URL" }, { file: "/run/secrets/calendar" }),
            every: fc.constantFrom("1h", "90s", "60m"),
            scope: fc.oneof(fc.constant({ all: true }), fc.record({ systems: fc.array(systemKey, { minLength: 1, maxLength: 2 }) })),
            mode: fc.constantFrom("enforce", "observe"),
            owner: text,
            reason: text,
            timeZone: fc.constantFrom("UTC", "Europe/Madrid", null),
            zoneMap: fc.constantFrom({}, { "Vendor Time": "America/New_York" }),
            titleContains: text,
          },
          { requiredKeys: ["url", "scope", "owner", "reason"] },
        ),
      ),
      approvals: list(
        "approval",
        count.approvals,
        some({
          kinds: fc.subarray(["freeze", "change", "maintenance"]),
          tags: fc.array(tag, { maxLength: 2 }),
          systems: fc.array(systemKey, { maxLength: 2 }),
          minimumCriticality: fc.constantFrom("low", "high", null),
          by: fc.array(text, { maxLength: 2 }),
          ownAllowed: fc.boolean(),
        }),
      ),
      teams: list(
        "team",
        count.teams,
        some({
          title: text,
          webhooks: fc.uniqueArray(
            fc.record(
              {
                url: fc.constantFrom("https://hooks.example.com/a?b=c", "http://127.0.0.1:8080/x", "https://example.org/"),
                secret: fc.record({ env: fc.constantFrom("A_TOKEN", "B_TOKEN") }),
                events: fc.subarray(["window.*", "window.quiesced"]),
                observe: fc.boolean(),
              },
              { requiredKeys: ["url", "secret"] },
            ),
            { selector: (hook) => hook.url, maxLength: 3 },
          ),
        }),
      ),
      windows: list(
        "win",
        count.windows,
        window.map(({ series: times, ...one }) => ({ ...one, ...times })),
      ),
      sampleRetention: fc.uniqueArray(
        fc.record({
          key: fc.constantFrom("response", "queue.depth", "own-metric", "*"),
          samples: fc.constantFrom(2, 14, null),
          minutes: fc.constantFrom(40, 60),
          hours: fc.constantFrom(400, null),
          days: fc.constantFrom(900, 2_000, null),
        }),
        { selector: ({ key }) => key, maxLength: 4 },
      ),
    });
  })
  .map((lists) => ({ quiesce: 1, ...lists, jobs: [...lists.jobs, ...pushJobs(lists.integrations)] }));

/** What is pushed for an integration is delivered by one job of it. */
function pushJobs(integrations: readonly { readonly key: string; readonly streams?: unknown }[]): readonly Json[] {
  const isPushed = (one: { readonly streams?: unknown }) => JSON.stringify(one.streams ?? []).includes('"push":true');
  return integrations.filter(isPushed).map(({ key }) => ({ key: `push-${key}`, integration: key, push: true }));
}

function withoutSelf(system: Json): Json {
  const edges = system["dependsOn"];
  return Array.isArray(edges) ? { ...system, dependsOn: edges.filter((edge: Json) => edge["system"] !== system["key"]) } : system;
}
