import { getNamedType, isLeafType } from "graphql";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleWorkspace, type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createConnectorRegistry } from "../connector-host/connector-registry.js";
import type { HttpServerOptions } from "../http/create-http-server.js";
import { apiSchema } from "./schema.js";
import { sealAll } from "../audit/seal-entries.js";

let api: StartedApi;
beforeAll(async () => {
  const connectors = createConnectorRegistry({ bundled: [], log: pino({ level: "silent" }) });
  api = await startApi({ rotation: connectorOfErp, connectors });
});
afterAll(async () => {
  await api.stop();
});

/** Mutations that leave no entry, and why none is missed. */
const exceptions: { readonly [mutation: string]: string } = {
  checkEndpoint: "asks a system how it is and changes nothing",
  createStreamTicket: "worth one stream within half a minute, with the rights of the token that asks; ADR 12",
  createOwnToken: "wants a session, and writes the entry of createToken: sessions.test.ts",
  renewGate: "a heartbeat of work whose entering and leaving have entries",
  pushRecords: "takes in records, each of which is a row of the ledger with its sender; nothing is decided",
  pushSamples: "takes in measurements, up to thousands a second; nothing is decided",
  syncCalendarImport: "reads a vendor's calendar; what that changes are windows, each with an entry, and the sync then has one",
};

type Answer = Record<string, unknown>;
interface Story {
  /** What earlier mutations answered, by their names. */
  readonly answers: Record<string, Answer>;
  readonly sql: StartedApi["database"]["sql"];
}
/** The input of a mutation and what is asked of its answer; made when its turn has come. */
interface Sample {
  readonly input: object;
  readonly ask?: string;
}

const day = 86_400_000;
const soon = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString();
const local = (offsetMs: number) => soon(offsetMs).slice(0, 16);
const tomorrow = soon(2 * day).slice(0, 10);
const dayAfter = (days: number) => soon((2 + days) * day).slice(0, 10);
const windowOf = (title: string, more: object = {}) => ({
  title,
  series: { start: `${tomorrow}T02:00`, end: `${tomorrow}T04:00`, timeZone: "UTC", rrule: "FREQ=DAILY" },
  scope: { systems: ["shop"] },
  owner: "sales-team",
  reason: "patches",
  ...more,
});
const connectorOfErp: NonNullable<HttpServerOptions["rotation"]> = {
  abilities: async () => ({ names: ["token"], issues: false, revokes: false, checks: true }),
  requireFit: async () => undefined,
  issue: async () => ({ secrets: {} }),
  test: async () => undefined,
  revoke: async () => undefined,
};
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const workspace = {
  ...exampleWorkspace,
  endpoints: [{ key: "erp-api", system: "erp", connector: "http", secrets: { token: { value: "erp-token-canary" } } }],
  teams: [{ key: "sales-team", webhooks: [{ url: "http://127.0.0.1:9/hook", secret: { value: secret } }] }],
  approvals: [{ key: "freezes", kinds: ["freeze"], by: ["test-approver"] }],
};
const calendar = [
  "BEGIN:VCALENDAR",
  "VERSION:2.0",
  "PRODID:-//Vendor//EN",
  "BEGIN:VEVENT",
  "UID:a",
  "DTSTAMP:20260101T000000Z",
  `DTSTART:${dayAfter(3).replaceAll("-", "")}T020000Z`,
  `DTEND:${dayAfter(3).replaceAll("-", "")}T040000Z`,
  "SUMMARY:Vendor",
  "END:VEVENT",
  "END:VCALENDAR",
  "",
].join("\r\n");

const keyOf = (value: unknown): string => (value as { readonly key: string }).key;

async function letterOf(sql: Story["sql"], key: string): Promise<string> {
  const [row] = await sql<{ id: number }[]>`
    insert into dead_letter (integration_id, stream, record_key, record, error, run_id)
    select id, 'orders', ${key}, '{"idempotencyKey": "k"}', '{}', gen_random_uuid() from integration where key = 'orders' returning id`;
  return String(row?.id);
}

async function conflictOf(sql: Story["sql"], key: string): Promise<string> {
  await sql`
    insert into sync_record (integration_id, stream, key, source, target)
    select id, 'orders', ${key}, '{"name": "s"}', '{"name": "t"}' from integration where key = 'orders'`;
  const [row] = await sql<{ id: number }[]>`
    insert into sync_conflict (integration_id, stream, record_key, field, kind, source, target, rule, state)
    select id, 'orders', ${key}, 'name', 'changed', '"s"', '"t"', 'review', 'open' from integration where key = 'orders' returning id`;
  return String(row?.id);
}

async function deadDelivery(sql: Story["sql"]): Promise<string> {
  const [row] = await sql<{ id: number }[]>`
    insert into webhook_delivery (endpoint_id, facet, delivery_id, received_at, method, path, query, headers, body, bytes, state, settled_at)
    select id, 'push', gen_random_uuid()::text, app_now(), 'POST', '/', '{}', '{}', 'x', 1, 'dead', app_now() from endpoint where key = 'erp-api' returning id`;
  return String(row?.id);
}

/** An incident with an alert, or one more alert of an incident. */
async function incidentOf(sql: Story["sql"], known?: number): Promise<string> {
  const [alert] = await sql<{ id: number }[]>`
    insert into alert (endpoint_id, fingerprint, remote_id, status, severity, title, resource_kind, resource_name, started_at, first_seen_at, changed_at)
    select id, gen_random_uuid()::text, '1', 'firing', 'major', 'down', 'host', 'erp', app_now(), app_now(), app_now() from endpoint where key = 'erp-api' returning id`;
  const alertId = alert?.id ?? 0;
  const [incident] =
    known === undefined
      ? await sql<{ id: number }[]>`
        insert into incident (state, severity, title, root_node, system_id, anchor_alert_id, started_at, opened_at, changed_at)
        select 'open', 'major', 'down', 'erp', id, ${alertId}, app_now(), app_now(), app_now() from system where key = 'erp' returning id`
      : [{ id: known }];
  await sql`insert into alert_standing (alert_id, incident_id, considered_at) values (${alertId}, ${incident?.id ?? 0}, app_now())`;
  return String(incident?.id);
}

async function incidentAlert(sql: Story["sql"], incident: number): Promise<string> {
  const [row] = await sql<{ id: number }[]>`select max(alert_id) as id from alert_standing where incident_id = ${incident}`;
  return String(row?.id);
}

/** In the order in which they are done: later ones build on what earlier ones made. */
const samples: { readonly [mutation: string]: (story: Story) => Sample | Promise<Sample> } = {
  applyWorkspace: () => ({ input: { document: JSON.stringify(workspace), reason: "teams" } }),
  startTrial: () => ({
    input: { integration: "orders", kind: "DRY_RUN", reason: "what is in there" },
    ask: "key",
  }),
  cancelTrial: ({ answers }) => ({ input: { key: keyOf(answers["startTrial"]), reason: "seen enough" } }),
  reconcileIntegration: async ({ sql }) => {
    await sql`update integration set source_endpoint_id = (select id from endpoint where key = 'erp-api'), target_endpoint_id = (select id from endpoint where key = 'erp-api'),
      streams = '[{"stream": "orders", "mapping": {"fields": {"a": {"from": "a"}}}}]' where key = 'orders'`;
    return { input: { integration: "orders" }, ask: "key" };
  },
  resyncDifferences: async ({ sql, answers }) => {
    const id = Number(keyOf(answers["reconcileIntegration"]));
    await sql`update reconciliation set ended_at = app_now() where id = ${id}`;
    await sql`insert into reconciliation_stream (reconciliation_id, stream, method, phase, ended_at) values (${id}, 'orders', 'hashes', 'done', app_now())`;
    await sql`insert into reconciliation_difference (reconciliation_id, stream, key, kind) values (${id}, 'orders', 'a', 'different')`;
    return { input: { reconciliation: String(id), reason: "as the source has them" } };
  },
  rollbackIntegration: async ({ sql }) => {
    await sql`insert into integration_version (integration_id, number, document, origin, actor)
      select id, 2, jsonb_build_object('key', key, 'description', 'as it was'), 'apply', 'x' from integration where key = 'stock'`;
    return { input: { integration: "stock", version: 2, reason: "as it was" } };
  },
  createMaintenanceWindow: () => ({ input: windowOf("Daily") }),
  updateMaintenanceWindow: () => ({ input: { key: "daily", title: "Every day", reason: "clearer" } }),
  moveOccurrence: () => ({
    input: { key: "daily", localStart: `${tomorrow}T02:00`, start: `${tomorrow}T05:00`, end: `${tomorrow}T06:00`, reason: "later" },
  }),
  restoreOccurrence: () => ({ input: { key: "daily", localStart: `${tomorrow}T02:00`, reason: "as it was" } }),
  splitMaintenanceWindow: () => ({ input: { key: "daily", localStart: `${dayAfter(5)}T02:00`, reason: "another crew" } }),
  cancelMaintenanceWindow: () => ({ input: { key: "daily", reason: "not needed" } }),
  breakGlass: async () => {
    const series = { start: local(-3_600_000), end: local(3_600_000), timeZone: "UTC" };
    await made("createMaintenanceWindow", windowOf("Now", { series, scope: { systems: ["erp"] } }));
    return { input: { job: "orders-hourly", window: "now", reason: "payroll" } };
  },
  extendMaintenanceWindow: () => ({ input: { key: "now", until: soon(2 * 3_600_000), reason: "longer" } }),
  resumeMaintenanceWindow: async ({ sql }) => {
    await sql`update occurrence set verifying_at = app_now() where id in (
      select o.id from occurrence as o join maintenance_window as w on w.id = o.window_id where w.key = 'now')`;
    return { input: { key: "now", reason: "they are fine", skipReadiness: true } };
  },
  endMaintenanceWindowEarly: async () => {
    const series = { start: local(-3_600_000), end: local(3_600_000), timeZone: "UTC" };
    await made("createMaintenanceWindow", windowOf("Short", { series }));
    return { input: { key: "short", reason: "done" } };
  },
  approveMaintenanceWindow: async () => {
    await made("createMaintenanceWindow", windowOf("Frozen", { kind: "FREEZE" }));
    return { input: { key: "frozen", comment: "go" } };
  },
  rejectMaintenanceWindow: async () => {
    await made("createMaintenanceWindow", windowOf("Icy", { kind: "FREEZE" }));
    return { input: { key: "icy", comment: "no" } };
  },
  overrideFreeze: async ({ sql }) => {
    await made("createMaintenanceWindow", windowOf("Moved", { kind: "CHANGE", overrideFreeze: "planned there" }));
    await sql`update freeze_conflict set cause = 'zone-data', accepted_at = null`;
    return { input: { key: "moved", reason: "it may stand" } };
  },
  pause: () => ({ input: { scope: { all: true }, reason: "look" }, ask: "key" }),
  runNow: () => ({ input: { job: "invoices-nightly", reason: "try" }, ask: "id" }),
  cancelRun: ({ answers }) => ({ input: { run: answers["runNow"]?.["id"], reason: "not now" } }),
  resume: () => ({ input: { scope: { all: true }, reason: "seen" } }),
  enterGate: () => ({ input: { integration: "stock", leaseSeconds: 60, reason: "cron" }, ask: "entered leaseToken run { id }" }),
  leaveGate: ({ answers }) => {
    const { leaseToken, run } = answers["enterGate"] as { leaseToken: string; run: { id: string } };
    return { input: { run: run.id, leaseToken, outcome: "SUCCEEDED", exitCode: 0 } };
  },
  createToken: () => ({ input: { name: "eve", role: "VIEWER" }, ask: "token { key }" }),
  revokeToken: ({ answers }) => ({ input: { key: keyOf(answers["createToken"]?.["token"]), reason: "left" } }),
  createServiceAccount: () => ({ input: { name: "robot", owner: "sales-team" }, ask: "key" }),
  setServiceAccountOwner: ({ answers }) => ({ input: { key: keyOf(answers["createServiceAccount"]), owner: "crew", reason: "moved" } }),
  disablePrincipal: ({ answers }) => ({ input: { key: keyOf(answers["createServiceAccount"]), reason: "left" } }),
  enablePrincipal: ({ answers }) => ({ input: { key: keyOf(answers["createServiceAccount"]), reason: "back" } }),
  createSignInLink: () => ({ input: {}, ask: "name" }),
  revokeOwnToken: async ({ sql }) => {
    const [row] = await sql<{ id: number }[]>`
      insert into api_token (name, prefix, hash, grants, created_by, principal_id)
      select 'laptop', 'qsc_', '\\x01', grants, 'test', principal_id from api_token where name = 'test-admin' returning id`;
    return { input: { key: String(row?.id) } };
  },
  endSession: async ({ sql }) => {
    const [row] = await sql<{ id: number }[]>`
      insert into session (hash, principal_id, method, idle_seconds, idle_until, expires_at)
      select '\\x00', id, 'link', 60, app_now() + interval '1 minute', app_now() + interval '1 hour' from principal where name = 'test-admin' returning id`;
    return { input: { key: String(row?.id) } };
  },
  openAccessReview: () => ({
    input: { title: "Quarter", dueAt: soon(day), subjects: ["TOKEN"], reason: "yearly" },
    ask: "key items { nodes { key account } }",
  }),
  decideAccess: ({ answers }) => {
    const { key, items } = answers["openAccessReview"] as { key: string; items: { nodes: { key: string; account: string }[] } };
    const others = items.nodes.filter(({ account }) => account !== "test-admin");
    return { input: { review: key, items: others.map((item) => item.key), decision: "KEEP", reason: "needed" } };
  },
  closeAccessReview: async ({ answers, sql }) => {
    // Somebody else has decided on the admin's own.
    await sql`update access_review_item set decision = 'keep', reason = 'needed', decided_by = 'token:other', decided_at = app_now() where decision is null`;
    return { input: { key: keyOf(answers["openAccessReview"]), reason: "done" } };
  },
  createCalendarFeed: () => ({ input: { title: "All", scope: "ALL" }, ask: "feed { key }" }),
  revokeCalendarFeed: ({ answers }) => ({ input: { key: keyOf(answers["createCalendarFeed"]?.["feed"]) } }),
  importCalendar: () => ({
    input: { key: "vendor", document: calendar, scope: { systems: ["shop"] }, owner: "sales-team", reason: "their calendar" },
  }),
  removeCalendarImport: () => ({ input: { key: "vendor", reason: "another vendor", keepWindows: false } }),
  testTeam: () => ({ input: { key: "sales-team" } }),
  redeliver: async ({ sql }) => {
    const [row] = await sql<{ id: number }[]>`
      insert into outbox (kind, webhook_id, team, destination, thing, payload, delivered_at)
      select 'window.opened', id, 'sales-team', 'http://127.0.0.1:9', 'x', '{}', app_now() from team_webhook returning id`;
    return { input: { key: String(row?.id), reason: "once more" } };
  },
  replayWebhookDelivery: async ({ sql }) => ({ input: { key: await deadDelivery(sql), reason: "mended" } }),
  discardWebhookDelivery: async ({ sql }) => ({ input: { key: await deadDelivery(sql), reason: "of no use" } }),
  replayDeadLetter: async ({ sql }) => ({ input: { key: await letterOf(sql, "a"), reason: "mended", inDoubt: false } }),
  replayDeadLetters: async ({ sql }) => {
    await letterOf(sql, "b");
    return { input: { selection: { integration: "orders", recordKeys: ["b"] }, reason: "mended" } };
  },
  discardDeadLetters: async ({ sql }) => ({ input: { keys: [await letterOf(sql, "c")], reason: "obsolete" } }),
  decideSyncConflict: async ({ sql }) => ({ input: { key: await conflictOf(sql, "d"), winner: "SOURCE", reason: "the source is right" } }),
  moveIncident: async ({ sql }) => ({
    input: { key: await incidentOf(sql), state: "ON_HOLD", reason: "waits for the vendor" },
    ask: "key",
  }),
  noteIncident: ({ answers }) => ({ input: { key: keyOf(answers["moveIncident"]), text: "the disk is full" } }),
  assignIncident: ({ answers }) => ({ input: { key: keyOf(answers["moveIncident"]), assignee: "eve", reason: "on duty" } }),
  offerIncident: ({ answers }) => ({ input: { key: keyOf(answers["moveIncident"]), team: "sales-team", reason: "their disk" } }),
  answerIncidentOffer: ({ answers }) => ({ input: { key: keyOf(answers["moveIncident"]), accept: true, reason: "ours indeed" } }),
  splitIncident: async ({ sql, answers }) => {
    const key = keyOf(answers["moveIncident"]);
    await incidentOf(sql, Number(key));
    return { input: { key, alerts: [await incidentAlert(sql, Number(key))], reason: "another disk" }, ask: "key" };
  },
  mergeIncidents: ({ answers }) => ({
    input: { key: keyOf(answers["splitIncident"]), into: keyOf(answers["moveIncident"]), reason: "the same disk after all" },
  }),
  saveCorrelationRules: () => ({ input: { rules: [{ id: "by-source", groupBy: ["source"] }], reason: "two sites" }, ask: "__typename" }),
  deleteCorrelationRule: () => ({ input: { key: "by-source", reason: "one site" }, ask: "__typename" }),
  updateProblem: async ({ sql }) => {
    const [row] = await sql<{ id: number }[]>`
      insert into problem (title, root_node, system_id, opened_at, changed_at) select 'down', 'erp', id, app_now(), app_now() from system where key = 'erp' returning id`;
    return { input: { key: String(row?.id), state: "KNOWN_ERROR", cause: "a disk", reason: "found it" }, ask: "key" };
  },
  linkIncidentToProblem: ({ answers }) => ({
    input: { key: keyOf(answers["moveIncident"]), problem: keyOf(answers["updateProblem"]), reason: "the same disk" },
  }),
  unlinkIncidentFromProblem: ({ answers }) => ({ input: { key: keyOf(answers["moveIncident"]), reason: "another disk" } }),
  saveObjective: () => ({
    input: {
      key: "orders-up",
      title: "Orders are up",
      scope: { integration: "orders" },
      indicator: "AVAILABILITY",
      target: 0.99,
      reason: "promised",
    },
  }),
  deleteObjective: () => ({ input: { key: "orders-up", reason: "no longer" } }),
  saveThreshold: () => ({
    input: { key: "slow", title: "Slow", kpi: "RESPONSE_TIME", comparison: "ABOVE", value: 500, reason: "agreed" },
  }),
  deleteThreshold: () => ({ input: { key: "slow", reason: "no longer" } }),
  saveAnomalyRule: () => ({ input: { key: "odd", title: "Odd", reason: "tried" } }),
  deleteAnomalyRule: () => ({ input: { key: "odd", reason: "no longer" } }),
  rotateCredential: () => ({ input: { endpoint: "erp-api", reason: "old" } }),
  stageCredential: () => ({
    input: { endpoint: "erp-api", secrets: [{ name: "token", value: "erp-token-canary-2" }], reason: "made by hand" },
  }),
  cancelRotation: () => ({ input: { endpoint: "erp-api", reason: "not today" } }),
  reloadConnectors: () => ({ input: { reason: "a new version" } }),
  rotateMasterKey: () => ({ input: { reason: "yearly" } }),
  setMode: () => ({ input: { mode: "OBSERVE", reason: "trying" } }),
  setRetention: () => ({ input: { runDays: 800, reason: "law" } }),
  setSampleRetention: () => ({ input: { metric: "response", sampleDays: 7, reason: "room" } }),
  overrideExpansion: () => ({ input: { until: soon(3_600_000), reason: "no dispatcher" } }),
  acknowledgeClockStep: async ({ sql }) => {
    await sql`update control set clock_stepped_at = app_now(), clock_step = '{"byMs": 5000, "server": "a"}'`;
    return { input: { reason: "NTP is right" } };
  },
  eraseAuditPersonal: () => ({ input: { actor: "token:test-approver", reason: "request 1" } }),
};

/** Those whose decision is somebody else's. */
const asRole: { readonly [mutation: string]: "approver" } = { approveMaintenanceWindow: "approver", rejectMaintenanceWindow: "approver" };

const mutations = apiSchema().getMutationType()?.getFields() ?? {};

async function made(mutation: string, input: object, ask = "__typename"): Promise<Answer> {
  const type = mutations[mutation]?.args.find(({ name }) => name === "input")?.type.toString() ?? "";
  const answer = mutations[mutation]?.type;
  const selection = answer !== undefined && isLeafType(getNamedType(answer)) ? "" : `{ ${ask} }`;
  const query = `mutation ($input: ${type}) { ${mutation}(input: $input) ${selection} }`;
  const { data, errors } = await api.ask(query, { input }, api.tokens[asRole[mutation] ?? "admin"]);
  expect(errors, mutation).toBeUndefined();
  return data?.[mutation] as Answer;
}

interface Entry {
  readonly id: number;
  readonly actor: string;
  readonly action: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
}
const entriesAfter = async (id: number) =>
  api.database.sql<Entry[]>`select id, actor, action, reason, before, after from audit_entry where id > ${id} order by id`;
const lastId = async () => (await api.database.sql<{ id: number }[]>`select coalesce(max(id), 0) as id from audit_entry`)[0]?.id ?? 0;

describe("every mutation", () => {
  it("of the schema has a sample here, or stands among the exceptions with a reason", () => {
    expect(Object.keys(mutations).toSorted()).toEqual([...Object.keys(samples), ...Object.keys(exceptions)].toSorted());
  });

  it("leaves an audit entry with its actor, its reason, and what was before or is after", async () => {
    const story: Story = { answers: {}, sql: api.database.sql };
    const silent: string[] = [];
    for (const [mutation, sample] of Object.entries(samples)) {
      const { input, ask } = await sample(story);
      const before = await lastId();
      story.answers[mutation] = await made(mutation, input, ask);
      const entries = await entriesAfter(before);
      const own = entries.filter(({ actor }) => actor === `token:test-${asRole[mutation] ?? "admin"}`);
      if (own.length === 0) silent.push(mutation);
      const said = (input as { reason?: string; comment?: string }).reason ?? (input as { comment?: string }).comment;
      if (said !== undefined)
        expect(
          own.map(({ reason }) => reason),
          mutation,
        ).toContain(said);
      for (const entry of own) expect(entry.before !== null || entry.after !== null, `${mutation}: ${entry.action}`).toBe(true);
    }
    expect(silent).toEqual([]);
  });

  it("keeps the secret of a webhook and every token out of the trail", async () => {
    await sealAll(api);
    const [row] = await api.database.sql<{ text: string }[]>`select string_agg(e::text, ' ') as text from audit_entry as e`;
    expect(row?.text.includes(secret.slice(6))).toBe(false);
    expect(row?.text.includes("erp-token-canary")).toBe(false);
    expect(Object.values(api.tokens).some((token) => row?.text.includes(token))).toBe(false);
  });
});

describe("a hold", () => {
  it("leaves an entry when it is opened and when it is released, whoever does it, with what it was", async () => {
    const rows = await api.database.sql<{ action: string; actor: string; kind: string | null }[]>`
      select action, actor, before ->> 'kind' as kind from audit_entry where action in ('occurrence.open', 'hold.create', 'hold.release') order by id`;
    const said = new Set(rows.map(({ action, actor, kind }) => `${action} ${actor} ${kind ?? "-"}`));
    expect(said).toContain("occurrence.open system:quiesce -");
    expect(said).toContain("hold.create token:test-admin -");
    expect(said).toContain("hold.release token:test-admin manual");
    expect(said).toContain("hold.release token:test-admin window");
  });
});
