import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { readCalendar } from "../calendars/ical-text.js";

let api: StartedApi;

beforeAll(async () => {
  api = await startApi();
  await plan("erp-patches", { systems: ["erp"] }, "erp-team", "FREQ=WEEKLY");
  await plan("shop-move", { systems: ["shop"] }, "shop-team");
  await plan("sales-day", { tags: ["sales"] }, "sales-lead");
});
afterAll(() => api?.stop());

async function plan(key: string, scope: object, owner: string, rrule?: string): Promise<void> {
  const series = { start: "2099-01-04T02:00", end: "2099-01-04T06:00", timeZone: "Europe/Madrid", rrule };
  const answer = await api.ask("mutation Plan($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", {
    input: { key, title: `Title of ${key}`, series, scope, owner, reason: "Because, of course; yes" },
  });
  expect(answer.errors).toBeUndefined();
}

async function feed(input: object, token = api.tokens.operator): Promise<string> {
  const { data, errors } = await api.ask(
    "mutation Make($input: CreateCalendarFeedInput!) { createCalendarFeed(input: $input) { path feed { key } } }",
    { input: { title: "Windows", ...input } },
    token,
  );
  expect(errors).toBeUndefined();
  const made = data?.["createCalendarFeed"] as { readonly path: string };
  return `${api.url}${made.path}`;
}

const titles = async (url: string) => {
  const [, , parts] = readCalendar(await (await fetch(url)).text());
  return parts.flatMap(([name, properties]) =>
    name === "vevent" ? properties.filter(([property]) => property === "summary").map((one) => String(one[3])) : [],
  );
};

describe("a calendar feed", () => {
  test("is iCalendar that programs read without a token and may keep for themselves alone", async () => {
    const response = await fetch(await feed({ scope: "ALL" }));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/calendar; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
    const text = await response.text();
    expect(text.split("\r\n").every((line) => Buffer.byteLength(line) <= 75 && !line.includes("\n"))).toBe(true);
    expect(text.startsWith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")).toBe(true);
    expect(text).toContain("REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n");
    expect(text.replaceAll("\r\n ", "")).toContain(
      "DESCRIPTION:Owner: erp-team\\nReason: Because\\, of course\\; yes\\nScope: systems erp\\nCovers: invoices\\, orders\r\n",
    );
    expect(text).toContain("DTSTART;TZID=Europe/Madrid:20990104T020000");
    expect(text).toContain("SEQUENCE:1\r\n");
    expect(text).toContain("CATEGORIES:MAINTENANCE\r\nSTATUS:CONFIRMED\r\nTRANSP:OPAQUE\r\n");
  });

  test.each([
    [{ scope: "ALL" }, ["erp-patches", "shop-move", "sales-day"]],
    [{ scope: "SYSTEM", name: "erp" }, ["erp-patches", "shop-move", "sales-day"]],
    [{ scope: "SYSTEM", name: "erp-db" }, []],
    [{ scope: "INTEGRATION", name: "invoices" }, ["erp-patches"]],
    [{ scope: "INTEGRATION", name: "stock" }, ["shop-move"]],
    [{ scope: "TAG", name: "sales" }, ["erp-patches", "shop-move", "sales-day"]],
    [{ scope: "TEAM", name: "shop-team" }, ["shop-move"]],
    [{ scope: "TEAM", name: "sales-team" }, ["erp-patches", "shop-move", "sales-day"]],
  ])("of %j shows the windows that touch it", async (input, expected) => {
    expect(await titles(await feed(input))).toEqual(expected.map((key) => `Title of ${key}`));
  });

  test("answers 304 while nothing changed, and anew when a window did", async () => {
    const url = await feed({ scope: "INTEGRATION", name: "stock" });
    const first = await fetch(url);
    const etag = first.headers.get("etag") ?? "";
    await first.text();
    const ask = (value: string) => fetch(url, { headers: { "if-none-match": value } });
    expect((await ask(etag)).status).toBe(304);
    expect((await ask(`"other", W/${etag}`)).status).toBe(304);
    await api.ask('mutation { updateMaintenanceWindow(input: { key: "shop-move", title: "Moved" }) { key } }');
    const changed = await ask(etag);
    expect(changed.status).toBe(200);
    expect(await changed.text()).toMatch(/SEQUENCE:2[\s\S]*SUMMARY:Moved/);
    await api.ask('mutation { updateMaintenanceWindow(input: { key: "shop-move", title: "Title of shop-move" }) { key } }');
  });

  test("gives one answer for an address that never was and one that was revoked", async () => {
    const url = await feed({ scope: "ALL" });
    const { data } = await api.ask("{ calendarFeeds(first: 1) { nodes { key title prefix lastReadAt revokedAt } } }");
    const feeds = data?.["calendarFeeds"] as { readonly nodes: readonly { readonly key: string; readonly prefix: string }[] };
    const [node] = feeds.nodes;
    expect(url).toContain(node?.prefix ?? "?");
    await api.ask("mutation Revoke($input: RevokeCalendarFeedInput!) { revokeCalendarFeed(input: $input) { revokedAt } }", {
      input: { key: node?.key },
    });
    const answers = await Promise.all(
      [url, `${api.url}/calendars/cal_${"x".repeat(43)}.ics`, `${api.url}/calendars/nothing.ics`, `${api.url}/calendars/`].map(
        async (one) => {
          const response = await fetch(one);
          return `${response.status} ${await response.text()}`;
        },
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^404 .*QSC_CALENDAR_NOT_FOUND/);
    expect((await fetch(url, { method: "POST" })).status).toBe(405);
  });

  test("notes when it was read, and keeps its secret out of the database", async () => {
    const url = await feed({ scope: "ALL" });
    await (await fetch(url)).text();
    const [row] = await api.database.sql<{ read: boolean; text: string }[]>`
      select last_read_at is not null as read,
        f::text || (select string_agg(a::text, ' ') from audit_entry as a) || coalesce((select string_agg(e::text, ' ') from event_log as e), '') as text
      from calendar_feed as f order by id desc limit 1`;
    expect(row?.read).toBe(true);
    const secret = /cal_[\w-]{43}/.exec(url)?.[0] ?? "?";
    expect(row?.text).not.toContain(secret);
    expect(row?.text).not.toContain(Buffer.from(secret).toString("hex"));
  });

  test("is made by those who may plan windows, and named without slips", async () => {
    const make = (input: object, token: string) =>
      api.ask("mutation Make($input: CreateCalendarFeedInput!) { createCalendarFeed(input: $input) { path } }", { input }, token);
    const codeOf = async (answer: ReturnType<typeof make>) => (await answer).errors?.[0]?.extensions.code;
    expect(await codeOf(make({ title: "All", scope: "ALL" }, api.tokens.viewer))).toBe("QSC_ACCESS_DENIED");
    expect(await codeOf(make({ title: "All", scope: "ALL", name: "erp" }, api.tokens.operator))).toBe("QSC_CALENDAR_FEED_INVALID");
    expect(await codeOf(make({ title: "ERP", scope: "SYSTEM" }, api.tokens.operator))).toBe("QSC_CALENDAR_FEED_INVALID");
    expect(await codeOf(make({ title: " ", scope: "ALL" }, api.tokens.operator))).toBe("QSC_CALENDAR_FEED_INVALID");
  });

  test("is read so often and no oftener, and wrong addresses cost their sender", async () => {
    const url = await feed({ scope: "INTEGRATION", name: "stock" });
    const statuses: number[] = [];
    for (let count = 0; count < 60 && statuses.at(-1) !== 429; count += 1) statuses.push((await fetch(url)).status);
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.length).toBeGreaterThan(20);
    const guesses: number[] = [];
    for (let count = 0; count < 60 && guesses.at(-1) !== 429; count += 1)
      guesses.push((await fetch(`${api.url}/calendars/cal_${count}.ics`)).status);
    expect(guesses.at(-1)).toBe(429);
  });
});

describe("an import over the API", () => {
  const document =
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:v1\r\nSUMMARY:Vendor\r\nDTSTART:20990101T000000Z\r\nDTEND:20990101T040000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  const load = (input: object, token: string) =>
    api.ask(
      "mutation Load($input: ImportCalendarInput!) { importCalendar(input: $input) { report { addedCount refusedCount } import { key origin windows problem report { added { window title } } } } }",
      { input: { key: "vendor", scope: { systems: ["erp"] }, owner: "erp-team", reason: "Vendor", ...input } },
      token,
    );

  test("of a document is an operator's; where the server fetches from is an admin's to say", async () => {
    const answer = await load({ document }, api.tokens.operator);
    expect(answer.data?.["importCalendar"]).toMatchObject({
      report: { addedCount: 1 },
      import: { key: "vendor", origin: null, windows: 1 },
    });
    expect((await load({ url: "https://vendor.example/x.ics" }, api.tokens.operator)).errors?.[0]?.extensions.code).toBe(
      "QSC_ACCESS_DENIED",
    );
    expect((await load({}, api.tokens.admin)).errors?.[0]?.extensions.code).toBe("QSC_CALENDAR_IMPORT_INVALID");
    const sync = await api.ask('mutation { syncCalendarImport(input: { key: "vendor" }) { key } }');
    expect(sync.errors?.[0]?.extensions.code).toBe("QSC_CALENDAR_IMPORT_WITHOUT_URL");
    const listed = await api.ask('{ calendarImports { nodes { key windows } } calendarImport(key: "nothing") { key } }');
    expect(listed.data).toEqual({ calendarImports: { nodes: [{ key: "vendor", windows: 1 }] }, calendarImport: null });
    const removed = await api.ask('mutation { removeCalendarImport(input: { key: "vendor", reason: "over" }) { key } }');
    expect(removed.data).toEqual({ removeCalendarImport: { key: "vendor" } });
  });
});
