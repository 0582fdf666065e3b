import { type GraphQLField, type GraphQLOutputType, getNamedType, isLeafType, isNonNullType, isObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { keyHash, sortedJson } from "@quiesce/core";
import { createToken } from "../access/tokens.js";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { defaultApiLimits } from "../http/api-limits.js";
import { apiSchema } from "./schema.js";

/**
 * Two teams share a deployment and nothing else. Everything of the one carries the word "near", everything of the other "far"; somebody with every right over the near
 * team asks every operation of the schema. What they read must not hold the word "far", and what they ask about far things must be answered as
 * for things that do not exist.
 */
const day = 86_400_000;
const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
const tomorrow = at(day).slice(0, 10);

const world = (team: string) => ({
  teams: [
    {
      key: `${team}-team`,
      title: `The ${team} team`,
      webhooks: [{ url: `http://127.0.0.1:9/${team}`, secret: { value: `whsec_${Buffer.alloc(32, 7).toString("base64")}` } }],
    },
  ],
  systems: [
    { key: `${team}-erp`, name: `${team} ERP`, ownerTeam: `${team}-team`, vendor: `${team}-vendor`, tags: [`${team}-tag`] },
    { key: `${team}-db`, name: `${team} database`, ownerTeam: `${team}-team`, dependsOn: [{ system: `${team}-erp`, strength: "hard" }] },
  ],
  integrations: [
    {
      key: `${team}-orders`,
      name: `${team} orders`,
      target: `${team}-endpoint`,
      via: [`${team}-db`],
      streams: [{ stream: `${team}-stream`, mapping: { fields: { id: { from: "id" } } }, push: true }],
      ownerTeam: `${team}-team`,
      tags: [`${team}-tag`],
    },
  ],
  endpoints: [
    {
      key: `${team}-endpoint`,
      name: `${team} endpoint`,
      system: `${team}-erp`,
      connector: "postgres",
      config: { host: `${team}.example` },
    },
  ],
  jobs: [
    { key: `${team}-hourly`, integration: `${team}-orders`, schedule: { cron: "0 * * * *" } },
    { key: `${team}-push`, integration: `${team}-orders`, push: true },
  ],
});
const near = world("near");
const far = world("far");
const workspace = {
  quiesce: 1,
  teams: [...near.teams, ...far.teams],
  systems: [...near.systems, ...far.systems],
  integrations: [...near.integrations, ...far.integrations],
  endpoints: [...near.endpoints, ...far.endpoints],
  jobs: [...near.jobs, ...far.jobs],
};

let api: StartedApi;
let token: string;
/** Numbers and uuids of things by team. */
const ids: Record<string, Record<string, string>> = { near: {}, far: {} };

beforeAll(async () => {
  const generous = {
    ...defaultApiLimits,
    queryCost: 10_000_000,
    queryTokens: 20_000,
    queryFields: 20_000,
    callerCostPerMinute: 1_000_000_000,
    callerRequestsPerSecond: 10_000,
  };
  api = await startApi({ limits: generous });
  const keys = { current: masterKeyOf(Buffer.alloc(32, 1)), previous: [] };
  await applyWorkspace({ ...api.context, keys }, workspace, { prune: true });
  token = (
    await createToken(api.context, {
      name: "near-admin",
      grants: (["admin", "operator"] as const).map((role) => ({ role, scope: { kind: "team", name: "near-team" } })),
    })
  ).secret;
  for (const team of ["near", "far"]) await furnish(team);
});
afterAll(async () => {
  expect(api.errors).toEqual([]);
  await api.stop();
});

async function done(mutation: string, input: object, selection = "{ __typename }"): Promise<Record<string, unknown>> {
  const type = apiSchema().getMutationType()?.getFields()[mutation]?.args[0]?.type.toString() ?? "";
  const { data, errors } = await api.ask(`mutation ($input: ${type}) { answer: ${mutation}(input: $input) ${selection} }`, { input });
  expect(errors, mutation).toBeUndefined();
  return data?.["answer"] as Record<string, unknown>;
}

/** One of everything, with the team's word in whatever has words. */
async function furnish(team: string): Promise<void> {
  const own = (ids[team] ??= {});
  const sql = api.database.sql;
  const [endpoint] = await sql<{ id: number }[]>`select id from endpoint where key = ${`${team}-endpoint`}`;
  await sql`insert into endpoint_finding (endpoint_id, kind, origin, severity, message, found_at, checked_at)
    values (${endpoint?.id ?? 0}, 'plain-text', ${`http://${team}.example`}, 'high', ${`${team} speaks plainly`}, app_now(), app_now())`;
  await sql`insert into endpoint_secret (endpoint_id, name, sealed, source, fingerprint)
    values (${endpoint?.id ?? 0}, ${`${team}-password`}, '{}', ${`env:${team.toUpperCase()}`}, 'f')`;
  const window = (key: string, more: object) => ({
    key: `${team}-${key}`,
    title: `${team} ${key}`,
    series: { start: `${tomorrow}T02:00`, end: `${tomorrow}T04:00`, timeZone: "UTC", rrule: "FREQ=DAILY" },
    scope: { systems: [`${team}-erp`] },
    owner: `${team}-team`,
    reason: `${team} patches`,
    ...more,
  });
  await done("createMaintenanceWindow", window("nightly", {}));
  const series = { start: at(-3_600_000).slice(0, 16), end: at(3_600_000).slice(0, 16), timeZone: "UTC" };
  await done("createMaintenanceWindow", window("now", { series, scope: { integrations: [`${team}-orders`] } }));
  own["hold"] = String((await done("pause", { scope: { integrations: [`${team}-orders`] }, reason: `${team} look` }, "{ key }"))["key"]);
  own["run"] = String((await done("runNow", { job: `${team}-hourly`, reason: `${team} try` }, "{ key }"))["key"]);
  const [letter] = await sql<{ id: number }[]>`
    insert into dead_letter (integration_id, stream, record_key, record, error, run_id)
    select id, ${`${team}-stream`}, ${`${team}-record`}, ${sql.json({ name: team, idempotencyKey: "k", source: { key: `${team}-record`, data: { id: team } } })}, ${sql.json({ message: `${team} refused` })}, ${own["run"]}::uuid
    from integration where key = ${`${team}-orders`} returning id`;
  own["letter"] = String(letter?.id);
  const [conflict] = await sql<{ id: number }[]>`
    insert into sync_conflict (integration_id, stream, record_key, field, kind, source, target, rule, state)
    select id, ${`${team}-stream`}, ${`${team}-record`}, 'name', 'changed', to_jsonb(${`${team} source`}::text), to_jsonb(${`${team} target`}::text), 'review', 'open'
    from integration where key = ${`${team}-orders`} returning id`;
  own["conflict"] = String(conflict?.id);
  const [trial] = await sql<{ id: number }[]>`
    insert into integration_trial (integration_id, kind, candidate, settings, figures, differences, started_by, reason)
    select id, 'dry-run', ${sql.json({ [`${team}-stream`]: {} })}, '{}', '{"records": 1, "same": 1, "different": 0, "errors": 0, "runs": 0, "failedRuns": 0}',
      ${sql.json([{ stream: `${team}-stream`, recordKey: team, now: "mapped", candidate: "mapped", fields: [{ path: "data.name", before: team, after: team }], errors: [] }])},
      ${team}, ${`${team} looks`} from integration where key = ${`${team}-orders`} returning id`;
  own["trial"] = String(trial?.id);
  // The same name in both: a trace finds by name, and must tell the one from the other.
  await sql`insert into record_page (integration_id, stream, run_id, origin, keys, outcomes, target_keys, name_hashes)
    select id, ${`${team}-stream`}, ${own["run"]}::uuid, 'read', array[${`${team}-record`}], 'w', array['shared'], ${[keyHash(`${team}-record`), keyHash("shared")]}::integer[]
    from integration where key = ${`${team}-orders`}`;
  const [reconciliation] = await sql<{ id: number }[]>`
    insert into reconciliation (integration_id, run_id, origin, requested_by, reason, started_at, ended_at)
    select id, ${own["run"]}::uuid, 'request', ${team}, ${`${team} looks`}, app_now(), app_now() from integration where key = ${`${team}-orders`} returning id`;
  own["reconciliation"] = String(reconciliation?.id);
  await sql`insert into reconciliation_stream (reconciliation_id, stream, method, phase, only_source, samples, ended_at)
    values (${reconciliation?.id ?? 0}, ${`${team}-stream`}, 'hashes', 'done', 1, ${sql.json([{ key: team, kind: "only-source", source: { id: team }, target: null, fields: [] }])}, app_now())`;
  await sql`insert into reconciliation_difference (reconciliation_id, stream, key, kind) values (${reconciliation?.id ?? 0}, ${`${team}-stream`}, ${team}, 'only-source')`;
  await sql`insert into reconciliation_resync (reconciliation_id, run_id, confirms_deletions, requested_by, reason)
    values (${reconciliation?.id ?? 0}, gen_random_uuid(), false, ${team}, ${`${team} mends`})`;
  await sql`insert into integration_version (integration_id, number, document, origin, actor)
    select integration_id, 2, jsonb_set(document, '{description}', ${JSON.stringify(`${team} words`)}::text::jsonb), 'apply', ${team} from integration_version
    where integration_id = (select id from integration where key = ${`${team}-orders`})`;
  const feed = await done("createCalendarFeed", { title: `${team} calendar`, scope: "SYSTEM", name: `${team}-erp` }, "{ feed { key } }");
  own["feed"] = (feed["feed"] as { readonly key: string }).key;
  const event = [
    "BEGIN:VEVENT",
    `UID:${team}`,
    "DTSTAMP:20260101T000000Z",
    `DTSTART:${tomorrow.replaceAll("-", "")}T120000Z`,
    `DTEND:${tomorrow.replaceAll("-", "")}T130000Z`,
    `SUMMARY:${team} vendor`,
    "END:VEVENT",
  ];
  await done("importCalendar", {
    key: `${team}-import`,
    title: `${team} import`,
    document: ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//V//EN", ...event, "END:VCALENDAR", ""].join("\r\n"),
    scope: { systems: [`${team}-erp`] },
    owner: `${team}-team`,
    reason: `${team} vendor`,
  });
  const [received] = await sql<{ id: number }[]>`
    insert into webhook_delivery (endpoint_id, facet, delivery_id, received_at, method, path, query, headers, body, bytes, state, error, settled_at)
    values (${endpoint?.id ?? 0}, 'push', ${`${team}-delivery`}, app_now(), 'POST', '/', '{}', '{}', ${Buffer.from(team)}, 4, 'dead', ${sql.json({ message: `${team} sent nonsense` })}, app_now())
    returning id`;
  own["received"] = String(received?.id);
  const [alert] = await sql<{ id: number }[]>`
    insert into alert (endpoint_id, fingerprint, remote_id, status, severity, title, resource_kind, resource_name, started_at, first_seen_at, changed_at)
    values (${endpoint?.id ?? 0}, ${`${team}-alert`}, '1', 'firing', 'critical', ${`${team} is down`}, 'host', ${`${team}-host`}, app_now(), app_now(), app_now())
    returning id`;
  own["alert"] = String(alert?.id);
  const [problem] = await sql<{ id: number }[]>`
    insert into problem (title, root_node, system_id, cause, opened_at, changed_at)
    select ${`${team} again`}, ${`${team}-erp`}, id, ${`${team} disk`}, app_now(), app_now() from system where key = ${`${team}-erp`} returning id`;
  own["problem"] = String(problem?.id);
  const [incident] = await sql<{ id: number }[]>`
    insert into incident (state, severity, title, root_node, root_alert_id, system_id, anchor_alert_id, owner_team, assignee, problem_id, started_at, opened_at, changed_at)
    select 'open', 'critical', ${`${team} is down`}, ${`${team}-erp`}, ${alert?.id ?? 0}, id, ${alert?.id ?? 0}, ${`${team}-team`}, ${team}, ${problem?.id ?? 0}, app_now(), app_now(), app_now()
    from system where key = ${`${team}-erp`} returning id`;
  own["incident"] = String(incident?.id);
  const scope = { system: `${team}-erp` };
  const judged = { title: `${team} promise`, scope, reason: `${team} promised` };
  await done("saveObjective", { key: `${team}-up`, indicator: "AVAILABILITY", target: 0.99, ...judged });
  await done("saveThreshold", { key: `${team}-slow`, kpi: "RESPONSE_TIME", comparison: "ABOVE", value: 500, ...judged });
  await done("saveAnomalyRule", { key: `${team}-odd`, ...judged }, "");
  await sql`insert into objective_burn (objective_id, rule, since) select id, '1x', app_now() from objective where key = ${`${team}-up`}`;
  await sql`insert into threshold_state (threshold_id, integration_id, through_at, state)
    select t.id, i.id, app_now(), '{"brokenSince": 0, "recent": []}' from threshold as t, integration as i where t.key = ${`${team}-slow`} and i.key = ${`${team}-orders`}`;
  await sql`insert into kpi_band (integration_id, kpi, at, low, high, expected) select id, 'response-time', app_now() - interval '1 hour', 1, 3, 2 from integration where key = ${`${team}-orders`}`;
  await sql`insert into anomaly (integration_id, kpi, at, value, score, view, seen, low, high, expected, new_extreme, explanation, found_at)
    select id, 'response-time', app_now() - interval '1 hour', 9, 3, 'value', 9, 1, 3, 2, true, ${`${team} is slow`}, app_now() from integration where key = ${`${team}-orders`}`;
  await sql`insert into kpi_retention (metric, sample_days) values (${`${team}.speed`}, 7)`;
  await sql`
    with s as (insert into kpi_series (integration_id, metric) select id, ${`${team}.speed`} from integration where key = ${`${team}-orders`} returning id)
    insert into kpi_day (series_id, at, samples, good, marked, sum_millionths, min_value, max_value, histogram)
    select id, date_trunc('day', app_now(), 'UTC'), 1, 1, 0, 1, 1, 1, '' from s`;
  await sql`insert into alert_standing (alert_id, incident_id, considered_at) values (${alert?.id ?? 0}, ${incident?.id ?? 0}, app_now())`;
  await sql`insert into alert_reason (alert_id, kind, rule, path, reason, mutes, began_at)
    values (${alert?.id ?? 0}, 'rule', ${`${team}-rule`}, ${`${team}-erp`}, ${`${team} says so`}, false, app_now())`;
  await sql`insert into incident_entry (incident_id, at, kind, actor, text) values (${incident?.id ?? 0}, app_now(), 'note', ${team}, ${`${team} looks`})`;
  await sql`
    insert into system_monitor (system_id, endpoint_id, resources, suppress)
    select s.id, ${endpoint?.id ?? 0}, array[${`${team}-host`}], 'notifications' from system as s where s.key = ${`${team}-erp`}`;
  await sql`
    insert into monitor_announcement (endpoint_id, window_id, local_start, starts_at, ends_at, resources, title, suppress)
    select ${endpoint?.id ?? 0}, w.id, '2026-01-04T02:00', app_now(), app_now(), array[${`${team}-host`}], ${`${team} title`}, 'checks'
    from maintenance_window as w where w.key like ${`${team}%`}`;
  await sql`
    insert into remote_downtime (endpoint_id, remote_id, starts_at, ends_at, resources, title)
    values (${endpoint?.id ?? 0}, ${`${team}-7`}, app_now(), app_now(), array[${`${team}-host`}], ${`${team} disk swap`})`;
  const [delivery] = await sql<{ id: number }[]>`
    insert into outbox (kind, webhook_id, team, destination, thing, payload, delivered_at)
    select 'window.opened', h.id, ${`${team}-team`}, ${`http://${team}`}, ${team}, ${sql.json({ of: team })}, app_now()
    from team_webhook as h join team as t on t.id = h.team_id where t.key = ${`${team}-team`} returning id`;
  own["delivery"] = String(delivery?.id);
  own["node"] = Buffer.from(
    `System:${(await sql<{ id: number }[]>`select id from system where key = ${`${team}-erp`}`)[0]?.id ?? 0}`,
  ).toString("base64");
  own["windowNode"] = Buffer.from(
    `MaintenanceWindow:${(await sql<{ id: number }[]>`select id from maintenance_window where key = ${`${team}-now`}`)[0]?.id ?? 0}`,
  ).toString("base64");
  own["runNode"] = Buffer.from(`Run:${own["run"]}`).toString("base64");
}

/** Ids of nothing, of the same shapes. */
const nowhere: Record<string, string> = {
  hold: "999999",
  run: "019d3c31-a620-7cf9-8449-6649344dfb93",
  letter: "999999",
  conflict: "999999",
  trial: "999999",
  reconciliation: "999999",
  incident: "999999",
  problem: "999999",
  feed: "999999",
  delivery: "999999",
  received: "999999",
  alert: "999999",
  node: Buffer.from("System:999999").toString("base64"),
  windowNode: Buffer.from("MaintenanceWindow:999999").toString("base64"),
  runNode: Buffer.from("Run:019d3c31-a620-7cf9-8449-6649344dfb93").toString("base64"),
};

type Args = { readonly [name: string]: unknown };
/** The arguments with which an operation is asked about the things of a team, or of nobody. */
type Sample = (team: string, own: Record<string, string>) => Args;

const byKey =
  (suffix: string): Sample =>
  (team) => ({ key: `${team}-${suffix}` });
const from = at(-day);
const to = at(2 * day);
const planOf = (team: string) => ({
  key: "plan",
  title: "Plan",
  series: { start: `${tomorrow}T12:00`, end: `${tomorrow}T13:00`, timeZone: "UTC" },
  scope: { systems: [`${team}-erp`] },
  owner: "near-team",
  reason: "r",
});

/** Queries that ask about something by name. All others are asked as they are. */
const queries: { readonly [query: string]: Sample } = {
  alert: (_team, own) => ({ key: own["alert"] }),
  calendarImport: byKey("import"),
  deadLetter: (_team, own) => ({ key: own["letter"] }),
  syncConflict: (_team, own) => ({ key: own["conflict"] }),
  endpoint: byKey("endpoint"),
  explain: (team) => ({ job: `${team}-hourly` }),
  gate: (team) => ({ integration: `${team}-orders` }),
  samplesCsv: (team) => ({ integration: `${team}-orders`, class: "DAY", from, to }),
  integration: byKey("orders"),
  integrationTrial: (_team, own) => ({ key: own["trial"] }),
  integrationVersionDiff: (team) => ({ integration: `${team}-orders`, from: 1, to: 2 }),
  job: byKey("hourly"),
  maintenanceSlots: (team) => ({ search: { scope: { systems: [`${team}-erp`] }, durationMinutes: 60, timeZone: "UTC" } }),
  maintenanceWindow: byKey("nightly"),
  node: (_team, own) => ({ id: own["node"] }),
  nodes: (_team, own) => ({ ids: [own["node"], own["windowNode"], own["runNode"]] }),
  previewMapping: (team) => ({ input: { integration: `${team}-orders` } }),
  previewMaintenanceWindow: (team) => ({ input: planOf(team) }),
  previewResume: (team) => ({ window: `${team}-now` }),
  previewStandingWindow: (team) => ({ window: `${team}-nightly` }),
  reconciliation: (_team, own) => ({ key: own["reconciliation"] }),
  incident: (_team, own) => ({ key: own["incident"] }),
  objective: byKey("up"),
  threshold: byKey("slow"),
  previewCorrelationRules: () => ({ rules: [], from, to }),
  problem: (_team, own) => ({ key: own["problem"] }),
  run: (_team, own) => ({ key: own["run"] }),
  system: byKey("erp"),
  team: byKey("team"),
  trace: (team) => ({ recordKey: `${team}-record` }),
  kpi: (team) => ({ kpi: "RESPONSE_TIME", scope: { integration: `${team}-orders` }, from, to }),
  windowProgress: byKey("now"),
  windowReport: (team) => ({ window: `${team}-now` }),
  windowTuning: (team) => ({ window: `${team}-nightly` }),
};

/** Their answers are figures. */
const tellNoName: readonly string[] = ["gate", "kpi", "maintenanceSlots", "node", "nodes", "previewResume", "windowTuning"];

/** Mutations of things, each on those of a team. */
const mutations: { readonly [mutation: string]: Sample } = {
  approveMaintenanceWindow: (team) => ({ key: `${team}-now`, comment: "go" }),
  breakGlass: (team) => ({ job: `${team}-hourly`, window: `${team}-now`, reason: "r" }),
  cancelMaintenanceWindow: (team) => ({ key: `${team}-nightly`, reason: "r" }),
  cancelRun: (_team, own) => ({ run: own["run"], reason: "r" }),
  rotateCredential: (team) => ({ endpoint: `${team}-endpoint`, reason: "r" }),
  stageCredential: (team) => ({ endpoint: `${team}-endpoint`, reason: "r", secrets: [{ name: "password", value: "p" }] }),
  cancelRotation: (team) => ({ endpoint: `${team}-endpoint`, reason: "r" }),
  checkEndpoint: (team) => ({ endpoint: `${team}-endpoint` }),
  createCalendarFeed: (team) => ({ title: "Mine", scope: "SYSTEM", name: `${team}-erp` }),
  createMaintenanceWindow: (team) => planOf(team),
  discardWebhookDelivery: (_team, own) => ({ key: own["received"], reason: "r" }),
  replayWebhookDelivery: (_team, own) => ({ key: own["received"], reason: "r" }),
  decideSyncConflict: (_team, own) => ({ key: own["conflict"], winner: "SOURCE", reason: "r" }),
  discardDeadLetters: (_team, own) => ({ keys: [own["letter"]], reason: "r" }),
  endMaintenanceWindowEarly: (team) => ({ key: `${team}-now`, reason: "r" }),
  enterGate: (team) => ({ integration: `${team}-orders`, leaseSeconds: 60, reason: "r" }),
  extendMaintenanceWindow: (team) => ({ key: `${team}-now`, until: at(2 * 3_600_000), reason: "r" }),
  importCalendar: (team) => ({
    key: "mine",
    document: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n",
    scope: { systems: [`${team}-erp`] },
    owner: "o",
    reason: "r",
  }),
  leaveGate: (_team, own) => ({ run: own["run"], leaseToken: "x", outcome: "SUCCEEDED" }),
  moveOccurrence: (team) => ({
    key: `${team}-nightly`,
    localStart: `${tomorrow}T02:00`,
    start: `${tomorrow}T05:00`,
    end: `${tomorrow}T06:00`,
    reason: "r",
  }),
  overrideFreeze: (team) => ({ key: `${team}-now`, reason: "r" }),
  pause: (team) => ({ scope: { integrations: [`${team}-orders`] }, reason: "r" }),
  pushRecords: (team) => ({ integration: `${team}-orders`, records: [{ key: "a", record: {} }] }),
  pushSamples: (team) => ({ samples: [{ integration: `${team}-orders`, metric: "response", at: at(0), value: 1 }] }),
  reconcileIntegration: (team) => ({ integration: `${team}-orders` }),
  moveIncident: (_team, own) => ({ key: own["incident"], state: "ACKNOWLEDGED", reason: "r" }),
  noteIncident: (_team, own) => ({ key: own["incident"], text: "t" }),
  assignIncident: (_team, own) => ({ key: own["incident"], assignee: "me" }),
  offerIncident: (team, own) => ({ key: own["incident"], team: `${team}-team`, reason: "r" }),
  answerIncidentOffer: (_team, own) => ({ key: own["incident"], accept: true, reason: "r" }),
  linkIncidentToProblem: (_team, own) => ({ key: own["incident"], problem: own["problem"], reason: "r" }),
  unlinkIncidentFromProblem: (_team, own) => ({ key: own["incident"], reason: "r" }),
  mergeIncidents: (_team, own) => ({ key: own["incident"], into: "9999999", reason: "r" }),
  splitIncident: (_team, own) => ({ key: own["incident"], alerts: [own["alert"]], reason: "r" }),
  saveObjective: (team) => ({
    key: `${team}-up`,
    title: "T",
    scope: { system: `${team}-erp` },
    indicator: "AVAILABILITY",
    target: 0.99,
    reason: "r",
  }),
  deleteObjective: (team) => ({ key: `${team}-up`, reason: "r" }),
  saveThreshold: (team) => ({
    key: `${team}-slow`,
    title: "T",
    scope: { system: `${team}-erp` },
    kpi: "RESPONSE_TIME",
    comparison: "ABOVE",
    value: 1,
    reason: "r",
  }),
  deleteThreshold: (team) => ({ key: `${team}-slow`, reason: "r" }),
  saveAnomalyRule: (team) => ({ key: `${team}-odd`, title: "T", scope: { system: `${team}-erp` }, reason: "r" }),
  deleteAnomalyRule: (team) => ({ key: `${team}-odd`, reason: "r" }),
  updateProblem: (_team, own) => ({ key: own["problem"], state: "KNOWN_ERROR", reason: "r" }),
  resyncDifferences: (_team, own) => ({ reconciliation: own["reconciliation"], reason: "r" }),
  redeliver: (_team, own) => ({ key: own["delivery"], reason: "r" }),
  rejectMaintenanceWindow: (team) => ({ key: `${team}-now`, comment: "no" }),
  removeCalendarImport: (team) => ({ key: `${team}-import`, reason: "r", keepWindows: false }),
  renewGate: (_team, own) => ({ run: own["run"], leaseToken: "x", leaseSeconds: 60 }),
  replayDeadLetter: (_team, own) => ({ key: own["letter"], reason: "r", inDoubt: false }),
  replayDeadLetters: (team) => ({ selection: { integration: `${team}-orders` }, reason: "r" }),
  restoreOccurrence: (team) => ({ key: `${team}-nightly`, localStart: `${tomorrow}T02:00`, reason: "r" }),
  resume: (_team, own) => ({ holdId: own["hold"], reason: "r" }),
  resumeMaintenanceWindow: (team) => ({ key: `${team}-now`, reason: "r", skipReadiness: true }),
  revokeCalendarFeed: (_team, own) => ({ key: own["feed"] }),
  runNow: (team) => ({ job: `${team}-hourly`, reason: "r" }),
  splitMaintenanceWindow: (team) => ({ key: `${team}-nightly`, localStart: `${tomorrow}T02:00`, reason: "r" }),
  syncCalendarImport: (team) => ({ key: `${team}-import` }),
  testTeam: (team) => ({ key: `${team}-team` }),
  updateMaintenanceWindow: (team) => ({ key: `${team}-nightly`, title: "T", reason: "r" }),
};

/** They take selections of what does not exist, so their refusal is that of the rule table, for either. */
const takesAnyName: readonly string[] = ["createCalendarFeed", "discardDeadLetters", "importCalendar", "replayDeadLetters"];
/** Queries about things of the deployment, by name. */
const ofTheDeploymentToRead: { readonly [query: string]: Args } = {
  auditHashes: { positions: [1] },
  principal: { key: "1" },
  accessReview: { key: "1" },
};
/** Mutations of the deployment: a grant over a part does not bring them, whatever the role. */
const ofTheDeployment: readonly string[] = [
  "acknowledgeClockStep",
  "applyWorkspace",
  "cancelTrial",
  "closeAccessReview",
  "createServiceAccount",
  "createSignInLink",
  "createToken",
  "decideAccess",
  "disablePrincipal",
  "enablePrincipal",
  "eraseAuditPersonal",
  "openAccessReview",
  "overrideExpansion",
  "revokeToken",
  "deleteCorrelationRule",
  "saveCorrelationRules",
  "rollbackIntegration",
  "reloadConnectors",
  "rotateMasterKey",
  "setMode",
  "setRetention",
  "setSampleRetention",
  "setServiceAccountOwner",
  "startTrial",
];
/** Nothing is named; the answer is about the caller alone. */
const ofOneself: readonly string[] = ["createOwnToken", "createStreamTicket", "endSession", "revokeOwnToken"];

/** Everything that can be selected of a type, a few levels deep; fields that need arguments are left out. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return "";
  if (!isObjectType(named)) return "{ __typename }";
  const fields = Object.values(named.getFields()).filter((field) => field.args.every((arg) => !isNonNullType(arg.type)));
  const chosen = fields.flatMap((field) => {
    if (field.name === "edges" || field.name === "pageInfo") return [];
    if (isLeafType(getNamedType(field.type))) return [field.name];
    return depth > 0 ? [`${field.name} ${selectionOf(field.type, field.name === "nodes" ? depth : depth - 1)}`] : [];
  });
  return chosen.length === 0 ? "{ __typename }" : `{ ${chosen.join(" ")} }`;
}

async function ask(kind: "query" | "mutation", field: GraphQLField<unknown, unknown>, args: Args) {
  const pages = field.args.some(({ name }) => name === "first") && !Object.hasOwn(args, "first");
  const given: Args = pages ? { ...args, first: 10 } : args;
  const declared = field.args.filter(({ name }) => Object.hasOwn(given, name));
  const variables = declared.map(({ name, type }) => `$${name}: ${type.toString()}`).join(", ");
  const passed = declared.map(({ name }) => `${name}: $${name}`).join(", ");
  const deep = kind === "query" ? selectionOf(field.type, 2) : "";
  // The widest types are asked a level less deep: an operation has at most 500 fields.
  const selection = kind === "query" && deep.split(/\s+/).length < 520 ? deep : selectionOf(field.type, kind === "query" ? 1 : 0);
  const text = `${kind}${variables === "" ? "" : ` (${variables})`} { ${field.name}${passed === "" ? "" : `(${passed})`} ${selection} }`;
  return api.ask(text, given, token);
}

const queryFields = apiSchema().getQueryType()?.getFields() ?? {};
const mutationFields = apiSchema().getMutationType()?.getFields() ?? {};
/** The same words for the same thing, whichever team's name was asked for. */
const alike = (answer: unknown, team: string) =>
  JSON.stringify(sortedJson(answer)).replaceAll(team, "some").replaceAll(team.toUpperCase(), "SOME");
const common = { from, to };

describe("whoever may do everything, of one team", () => {
  it.each(Object.keys(queryFields).filter((name) => !Object.hasOwn(queries, name)))("reads nothing of another team in %s", async (name) => {
    const field = queryFields[name];
    if (field === undefined) throw new Error(name);
    const required = field.args.filter(({ type }) => isNonNullType(type)).map((arg) => arg.name);
    const isKnown = required.every((one) => Object.hasOwn(common, one)) || Object.hasOwn(ofTheDeploymentToRead, name);
    if (!isKnown) throw new Error(`${name} asks about something by name: give it a sample among the queries.`);
    const args = ofTheDeploymentToRead[name] ?? Object.fromEntries(required.map((one) => [one, common[one as "from"]]));
    const answer = await ask("query", field, args);
    expect(JSON.stringify(answer)).not.toMatch(/far/i);
    const codes = (answer.errors ?? []).map(({ extensions }) => extensions.code);
    expect(codes.filter((code) => code !== "QSC_ACCESS_DENIED")).toEqual([]);
  });

  it.each(Object.keys(queries))("sees its own in %s, and another team's as what does not exist", async (name) => {
    const field = queryFields[name];
    const sample = queries[name];
    if (field === undefined || sample === undefined) throw new Error(`${name} is no query any more.`);
    const own = await ask("query", field, sample("near", ids["near"] ?? {}));
    expect(own.errors ?? [], JSON.stringify(own.errors)).toEqual([]);
    expect(JSON.stringify(own)).not.toMatch(/far/i);
    if (!tellNoName.includes(name)) expect(JSON.stringify(own.data?.[name])).toMatch(/near/);
    const foreign = await ask("query", field, sample("far", ids["far"] ?? {}));
    const nothing = await ask("query", field, sample("bar", nowhere));
    expect(neutral(alike(foreign, "far"), ids["far"] ?? {})).toBe(neutral(alike(nothing, "bar"), nowhere));
  });

  it("follows a name that both have only where it may", async () => {
    const field = queryFields["trace"];
    if (field === undefined) throw new Error("There is no trace.");
    const { data, errors } = await ask("query", field, { recordKey: "shared" });
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toMatch(/near-record/);
    expect(JSON.stringify(data)).not.toMatch(/far/);
  });

  it.each(Object.keys(mutations))("is answered by %s as if another team's things did not exist, and changes nothing", async (name) => {
    const field = mutationFields[name];
    const sample = mutations[name];
    if (field === undefined || sample === undefined) throw new Error(`${name} is no mutation any more.`);
    const before = await traces();
    const foreign = await ask("mutation", field, { input: sample("far", ids["far"] ?? {}) });
    const nothing = await ask("mutation", field, { input: sample("bar", nowhere) });
    const expected = takesAnyName.includes(name) ? /^QSC_ACCESS_DENIED$/ : /^QSC_(?!ACCESS_)/;
    expect(foreign.errors?.[0]?.extensions.code, JSON.stringify(foreign)).toMatch(expected);
    expect(neutral(alike(foreign, "far"), ids["far"] ?? {})).toBe(neutral(alike(nothing, "bar"), nowhere));
    expect(await traces()).toEqual(before);
  });

  it.each(ofTheDeployment)("is refused %s", async (name) => {
    const field = mutationFields[name];
    if (field === undefined) throw new Error(`${name} is no mutation any more.`);
    const samples: { readonly [name: string]: Args } = {
      applyWorkspace: { document: "{}" },
      createServiceAccount: { name: "x", owner: "near-team" },
      closeAccessReview: { key: "1", reason: "r" },
      createSignInLink: {},
      deleteCorrelationRule: { key: "x", reason: "r" },
      saveCorrelationRules: { rules: [], reason: "r" },
      createToken: { name: "x", role: "ADMIN" },
      decideAccess: { review: "1", items: ["1"], decision: "KEEP", reason: "r" },
      disablePrincipal: { key: "1", reason: "r" },
      enablePrincipal: { key: "1", reason: "r" },
      openAccessReview: { title: "x", dueAt: to },
      overrideExpansion: { until: to, reason: "r" },
      revokeToken: { key: "1" },
      setMode: { mode: "OBSERVE", reason: "r" },
      setRetention: { reason: "r" },
      setSampleRetention: { reason: "r" },
      setServiceAccountOwner: { key: "1", owner: "near-team", reason: "r" },
      startTrial: { integration: "far-orders", kind: "DRY_RUN", reason: "r" },
      cancelTrial: { key: ids["far"]?.["trial"] ?? "", reason: "r" },
      rollbackIntegration: { integration: "far-orders", version: 1, reason: "r" },
      acknowledgeClockStep: { reason: "r" },
      eraseAuditPersonal: { actor: "token:x", reason: "r" },
    };
    const answer = await ask("mutation", field, { input: samples[name] ?? {} });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(["QSC_ACCESS_DENIED"]);
  });

  it("is asked about every mutation of the schema", () => {
    expect(Object.keys(mutationFields).toSorted()).toEqual([...Object.keys(mutations), ...ofTheDeployment, ...ofOneself].toSorted());
  });

  it("may do with its own what its role may", async () => {
    const field = (name: string) => mutationFields[name] as GraphQLField<unknown, unknown>;
    const orders: readonly (readonly [string, Args])[] = [
      ["createMaintenanceWindow", planOf("near")],
      ["pause", { scope: { systems: ["near-db"] }, reason: "r" }],
      ["runNow", { job: "near-hourly", reason: "r" }],
      ["updateMaintenanceWindow", { key: "plan", title: "T", reason: "r" }],
      ["updateMaintenanceWindow", { key: "near-nightly", title: "T", reason: "r" }],
      ["cancelMaintenanceWindow", { key: "plan", reason: "r" }],
    ];
    // A name that the catalogue has lost since stands in nobody's way.
    await api.database.sql`update maintenance_window set scope = '{"systems": ["near-erp", "lost"]}' where key = 'near-nightly'`;
    for (const [name, input] of orders) expect((await ask("mutation", field(name), { input })).errors, name).toBeUndefined();
  });

  it("may hold neither everything nor a tag, nor move its window over another team's systems", async () => {
    const field = (name: string) => mutationFields[name] as GraphQLField<unknown, unknown>;
    for (const scope of [{ all: true }, { tags: ["near-tag"] }, { systems: ["near-erp"], tags: ["far-tag"] }]) {
      const answer = await ask("mutation", field("pause"), { input: { scope, reason: "r" } });
      expect(answer.errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
    }
    const moved = await ask("mutation", field("updateMaintenanceWindow"), {
      input: { key: "near-nightly", scope: { systems: ["far-erp"] }, reason: "r" },
    });
    expect(moved.errors?.[0]?.extensions.code).not.toBe(undefined);
    expect(
      await api.database.sql`select from maintenance_window where key = 'near-nightly' and scope -> 'systems' ? 'far-erp'`,
    ).toHaveLength(0);
  });
});

describe("over REST", () => {
  const rest = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${api.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return [response.status, await response.json()] as const;
  };

  it.each([
    ["GET", "/gate/TEAM-orders", undefined],
    ["POST", "/gate/TEAM-orders/enter", { leaseSeconds: 5 }],
    ["POST", "/push/TEAM-orders", { key: "a", record: {} }],
  ])("%s %s knows nothing of another team's integration", async (method, path, body) => {
    const before = await traces();
    const foreign = await rest(method, path.replace("TEAM", "far"), body);
    const nothing = await rest(method, path.replace("TEAM", "bar"), body);
    expect(foreign[0]).toBe(404);
    expect(alike(foreign, "far")).toBe(alike(nothing, "bar"));
    expect(await traces()).toEqual(before);
    expect((await rest(method, path.replace("TEAM", "near"), body))[0]).not.toBe(404);
  });

  it("a run of another team's cannot be left or renewed", async () => {
    for (const deed of ["leave", "renew"]) {
      const foreign = await rest("POST", `/gate/runs/${ids["far"]?.["run"] ?? ""}/${deed}`, {
        leaseToken: "x",
        outcome: "succeeded",
        leaseSeconds: 5,
      });
      const nothing = await rest("POST", `/gate/runs/${nowhere["run"] ?? ""}/${deed}`, {
        leaseToken: "x",
        outcome: "succeeded",
        leaseSeconds: 5,
      });
      expect(neutral(alike(foreign, "far"), ids["far"] ?? {})).toBe(neutral(alike(nothing, "bar"), nowhere));
    }
  });
});

/** What any command would leave behind. */
async function traces() {
  const [row] = await api.database.sql`
    select (select count(*)::integer from audit_entry where actor = 'token:near-admin') as audit, (select count(*)::integer from maintenance_window) as windows,
      (select count(*)::integer from hold) as holds, (select count(*)::integer from run) as runs, (select count(*)::integer from inbox_record) as records,
      (select count(*)::integer from dead_letter where status = 'open') as letters, (select count(*)::integer from occurrence_override) as overrides`;
  return row;
}

/** Ids of what was asked for are the asker's own words. */
function neutral(text: string, own: Record<string, string>): string {
  let neutralised = text;
  for (const id of Object.values(own).toSorted((a, b) => b.length - a.length))
    neutralised = neutralised.replaceAll(new RegExp(`(?<![\\w])${id}(?![\\w])`, "g"), "id");
  return neutralised.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "instant");
}
