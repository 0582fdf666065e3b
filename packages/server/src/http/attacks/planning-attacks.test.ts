import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GraphqlAnswer, type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { statementsOf } from "../../../../../test/server/statements-of.js";

/** Times that would take for ever to compute, and text that a badly written expression would take for ever to read. */
let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.stop();
});

const PREVIEW = `query ($input: MaintenanceWindowInput!) {
  previewMaintenanceWindow(input: $input) { refusals { code } occurrences { startsAt } } }`;
/** What a preview asks the database, whatever is in it. */
const MOST_STATEMENTS = 60;
const MOST_BYTES = 20_000;
const usual = { start: "2027-01-03T02:00", end: "2027-01-03T03:00", timeZone: "UTC" };

interface Preview {
  readonly refusals: readonly { readonly code: string }[];
  readonly occurrences: readonly object[];
}

/** The refusals of a preview, or those of the request; with how many occurrences where there are none. */
async function preview(series: object): Promise<readonly string[]> {
  const answers: GraphqlAnswer[] = [];
  const statements = await statementsOf(api.database, async () => {
    const input = { title: "w", series: { ...usual, ...series }, scope: { systems: ["erp"] }, owner: "sales-team", reason: "r" };
    answers.push(await api.ask(PREVIEW, { input }));
  });
  const [answer = {}] = answers;
  expect(statements.length).toBeLessThan(MOST_STATEMENTS);
  expect(JSON.stringify(answer).length).toBeLessThan(MOST_BYTES);
  if (answer.errors !== undefined) return answer.errors.map(({ extensions }) => extensions.code ?? "");
  const { refusals, occurrences } = (answer.data ?? {})["previewMaintenanceWindow"] as Preview;
  return refusals.length > 0 ? refusals.map(({ code }) => code) : [`${occurrences.length > 0 ? "some" : "no"} occurrences`];
}

describe("a recurrence rule that is a bomb", () => {
  it.each([
    ["every second", "FREQ=SECONDLY", "QSC_WINDOW_FREQUENCY_TOO_HIGH"],
    ["every minute, on no day", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "QSC_WINDOW_FREQUENCY_TOO_HIGH"],
    ["the 30th of February", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "QSC_WINDOW_NEVER"],
    ["the 31st of February, once", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31;COUNT=1", "QSC_WINDOW_NEVER"],
    ["the 366th Monday of a month", "FREQ=MONTHLY;BYSETPOS=366;BYDAY=MO", "QSC_WINDOW_NEVER"],
    ["an hour of a day that January has not", "FREQ=HOURLY;BYYEARDAY=366;BYMONTH=1", "QSC_WINDOW_NEVER"],
    ["week 53 in June", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", "QSC_WINDOW_NEVER"],
    ["a million times", "FREQ=DAILY;COUNT=1000000", "some occurrences"],
    ["until the end of time", "FREQ=DAILY;UNTIL=99991231T235959Z", "some occurrences"],
    ["every million years", "FREQ=YEARLY;INTERVAL=1000000", "some occurrences"],
    ["more often than there are numbers", "FREQ=DAILY;COUNT=99999999999", "QSC_WINDOW_RULE_MALFORMED"],
    ["a long list", `FREQ=DAILY;BYDAY=${"MO,".repeat(200)}MO`, "QSC_WINDOW_RULE_TOO_LONG"],
    ["a text without end", "x".repeat(200_000), "QSC_WINDOW_INVALID"],
    ["two rules in one", "RRULE:FREQ=DAILY\r\nRRULE:FREQ=SECONDLY", "QSC_WINDOW_FREQUENCY_TOO_HIGH"],
  ])("%s is answered at once", async (_name, rrule, answer) => {
    expect(await preview({ rrule })).toEqual([answer]);
  });

  it("is refused outside of the years that are computed, and in zones that are files", async () => {
    expect(await preview({ start: "0001-01-03T02:00", end: "9999-01-03T03:00" })).toEqual(["QSC_WINDOW_LOCAL_TIME_OUT_OF_RANGE"]);
    expect(await preview({ timeZone: "../../etc/passwd" })).toEqual(["QSC_TIME_ZONE_UNKNOWN"]);
  });

  it("is refused as the schedule of a job", async () => {
    const apply = "mutation ($d: String!) { applyWorkspace(input: { document: $d, dryRun: true }) { changes { key } } }";
    for (const schedule of [
      { cron: "* * * * * *" },
      { cron: "0 0 30 2 *" },
      { cron: "*/0 * * * *" },
      { cron: "0-59/1,".repeat(20_000) },
      { cron: `${"*".repeat(50_000)} * * * *` },
      { every: "1ms" },
      { every: `${"1".repeat(50_000)}s` },
      { rrule: "FREQ=SECONDLY", start: "2027-01-01T00:00" },
    ]) {
      const workspace = {
        quiesce: 1,
        systems: [{ key: "s" }],
        integrations: [{ key: "i", via: ["s"] }],
        jobs: [{ key: "j", integration: "i", schedule }],
      };
      const { errors, data } = await api.ask(apply, { d: JSON.stringify(workspace) });
      expect([errors?.[0]?.extensions.code, data ?? null], JSON.stringify(schedule).slice(0, 60)).toEqual(["QSC_CATALOGUE_INVALID", null]);
    }
  });
});

describe("text that drives an expression into backtracking", () => {
  // With a quadratic expression these would take minutes, with an exponential one for ever: that there is an answer is the assertion.
  const evil = [
    `${"a".repeat(100_000)}!`,
    `${"1".repeat(100_000)}x`,
    "-".repeat(100_000),
    `${" ".repeat(100_000)}x`,
    `${"a.".repeat(50_000)}@`,
  ];

  it("is answered by every reader of text that takes some", async () => {
    for (const text of evil) {
      expect(await preview({ start: text })).not.toEqual(["some occurrences"]);
      expect(await preview({ timeZone: text })).not.toEqual(["some occurrences"]);
      const asked = await api.ask(
        "query ($t: String!, $at: DateTime) { integration(key: $t) { key } gate(integration: $t) { state } occurrences(filter: { from: $at }) { nodes { key } } }",
        {
          t: text,
          at: text,
        },
      );
      expect(asked.errors?.length).toBeGreaterThan(0);
      expect((await api.ask(text)).errors?.[0]?.extensions.code).toBe("QSC_GRAPHQL_INVALID");
    }
    expect(api.errors).toEqual([]);
  });

  it("is answered as a header, as long as headers may be", async () => {
    for (const text of evil.map((one) => one.slice(-8_000))) {
      for (const header of [
        "authorization",
        "origin",
        "content-type",
        "idempotency-key",
        "if-none-match",
        "accept",
        "x-forwarded-for",
        "cookie",
      ]) {
        const headers = { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json", [header]: text };
        const response = await fetch(`${api.url}/push/orders`, { method: "POST", headers, body: "[]" });
        expect(response.status, header).toBeLessThan(500);
      }
    }
  });
});
