import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { clock } from "../../clock.js";

let server: CommandLineServer;

beforeAll(async () => {
  server = await commandLineServer({ name: "planning" });
});
afterAll(() => server.close());

const as = (token: string, ...args: readonly string[]) => server.as(token, ...args);
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const tokenOf = async (name: string, role: string): Promise<string> =>
  /qsc_[A-Za-z0-9_-]+/.exec((await quiesce("token", "create", "--name", name, "--role", role)).out)?.[0] ?? "";

it("a window that needs approval is planned, and approved by somebody else who may", async () => {
  const file = join(server.folder, "workspace.yaml");
  await writeFile(
    file,
    `quiesce: 1
integrations: [{ key: orders }]
holidayCalendars: [{ key: none, dates: ["2098-12-25"] }]
approvals: [{ key: everything, by: [ben] }]
`,
  );
  expect(await quiesce("apply", "-f", file, "--yes")).toMatchObject({ code: 0 });
  const [ben, olga] = [await tokenOf("ben", "approver"), await tokenOf("olga", "operator")];
  const plan = ["--title", "Close", "--key", "close", "--kind", "freeze", "--all", "--owner", "finance", "--reason", "close"];
  const times = ["--zone", "UTC", "--start", "2099-01-01T18:00", "--end", "23:00", "--business-days", "month:-2,-1", "--calendar", "none"];
  const made = await quiesce("window", "create", ...plan, ...times, "--yes");
  expect(made).toMatchObject({ code: 0, out: expect.stringContaining("holds nothing until it is approved (everything)") });
  expect(made.err).toContain("the policy everything wants the word of ben");
  expect(await as(olga, "window", "approve", "close")).toMatchObject({ err: expect.stringContaining("may not") });
  expect((await quiesce("window", "approve", "close")).err).toContain("QSC_WINDOW_APPROVER_NOT_NAMED");
  expect(await as(ben, "window", "approve", "close", "--comment", "go")).toMatchObject({
    code: 0,
    out: "Window close is approved: it holds.\n",
  });
  const listed = JSON.parse((await quiesce("window", "list", "--json")).out) as readonly { kind: string; approval: { state: string } }[];
  // It lies beyond what is written ahead, and is not past.
  expect((await quiesce("window", "list")).out).toMatch(/close .* SCHEDULED .*from 2099-01-29 18:00Z/);
  expect((await quiesce("window", "status", "close")).out).toContain("Next at 2099-01-29 18:00Z");
  expect(listed).toEqual([expect.objectContaining({ kind: "FREEZE", approval: expect.objectContaining({ state: "APPROVED" }) })]);
});

it("one occurrence moves and comes back, and a window is split, from the command line", async () => {
  await writeFile(join(server.folder, "free.yaml"), "quiesce: 1\nintegrations: [{ key: orders }]\n");
  expect(await quiesce("apply", "-f", join(server.folder, "free.yaml"), "--yes", "--prune")).toMatchObject({ code: 0 });
  const tomorrow = new Date(clock.wallMs() + 86_400_000).toISOString().slice(0, 10);
  const plan = [
    "--all",
    "--zone",
    "UTC",
    "--yes",
    "--start",
    `${tomorrow}T01:00`,
    "--end",
    "02:00",
    "--rrule",
    "FREQ=DAILY",
    "--owner",
    "o",
  ];
  expect(await quiesce("window", "create", "--title", "Nightly", ...plan, "--reason", "r")).toMatchObject({ code: 0 });
  const which = ["nightly", "--occurrence", `${tomorrow}T01:00`, "--reason", "r"];
  expect(await quiesce("window", "move", ...which, "--start", `${tomorrow}T05:00`)).toMatchObject({
    code: 0,
    out: `The occurrence of nightly at ${tomorrow} 01:00 is moved to ${tomorrow} 05:00 UTC.\n`,
  });
  // Again, without an end: as long as before, from its new start.
  expect(await quiesce("window", "move", ...which, "--start", `${tomorrow}T07:00`)).toMatchObject({ code: 0 });
  const moved = (await quiesce("window", "preview", "nightly")).out.split("\n").find((line) => line.includes("moved from"));
  expect(moved).toMatch(new RegExp(`^${tomorrow} 07:00 +${tomorrow} 08:00 .* 1h 00m +moved from ${tomorrow} 01:00`));
  expect(await quiesce("window", "restore", ...which)).toMatchObject({ code: 0, out: expect.stringContaining("happens as planned") });
  expect((await quiesce("window", "split", ...which)).err).toContain("QSC_WINDOW_SPLIT_IMPOSSIBLE");
  const later = new Date(clock.wallMs() + 3 * 86_400_000).toISOString().slice(0, 10);
  expect(await quiesce("window", "split", "nightly", "--occurrence", `${later}T01:00`, "--key", "second", "--reason", "r")).toMatchObject({
    code: 0,
    out: `Window nightly ends before ${later} 01:00; second goes on from there.\n`,
  });
});

it("what a window would do and meet, and the quietest time for it, from the command line", async () => {
  await writeFile(
    join(server.folder, "busy.yaml"),
    `quiesce: 1
systems: [{ key: erp }, { key: shop, dependsOn: [{ system: erp }] }]
integrations: [{ key: orders, via: [erp] }, { key: stock, via: [shop] }]
jobs:
  - { key: orders-sync, integration: orders, schedule: { every: 360s } }
  - { key: stock-sync, integration: stock, schedule: { cron: "30 6-22 * * *", timeZone: Europe/Madrid } }
`,
  );
  expect(await quiesce("apply", "-f", join(server.folder, "busy.yaml"), "--yes", "--prune")).toMatchObject({ code: 0 });
  const inTwoDays = new Date(clock.wallMs() + 2 * 86_400_000).toISOString().slice(0, 10);
  const times = ["--zone", "UTC", "--start", `${inTwoDays}T01:00`, "--owner", "ops", "--reason", "r"];
  const shop = ["--title", "Shop upgrade", "--key", "shop-upgrade", "--system", "shop", "--end", "05:00", "--yes"];
  expect(await quiesce("window", "create", ...shop, ...times)).toMatchObject({ code: 0 });
  const preview = await quiesce("window", "preview", "--system", "erp", ...times, "--duration", "222m");
  expect(preview.out).toContain("37 due times missed -> 1 run, an unknown number of records");
  expect(preview.out).toContain("unknown, as no run was measured yet: orders-sync");
  expect(preview.out).toMatch(/overlaps {2}maintenance shop-upgrade {2}.*stock \(system: shop\)/);
  const standing = await quiesce("window", "preview", "shop-upgrade", "--json");
  expect(JSON.parse(standing.out)).toMatchObject({ preview: { conflicts: { overlaps: 0 }, refusals: [] } });
  const found = await quiesce(
    "window",
    "find",
    "--system",
    "shop",
    "--duration",
    "4h",
    "--between",
    "22:30-07:00",
    "--zone",
    "Europe/Madrid",
  );
  expect(found).toMatchObject({ code: 0, out: expect.stringContaining("The quietest slots, in Europe/Madrid") });
  expect(found.out).toContain("0 planned runs and an unknown number of records");
  expect(await quiesce("window", "find", "--system", "shop", "--duration", "7m")).toMatchObject({
    err: expect.stringContaining("QSC_WINDOW_SLOT_SEARCH"),
  });
  expect((await quiesce("window", "tune", "shop-upgrade")).out).toContain("three are needed");
  expect(await quiesce("window", "create", "--title", "ERP", "--system", "erp", ...times, "--end", "02:00", "--yes")).toMatchObject({
    code: 0,
  });
  const until = `${inTwoDays}T04:00:00Z`;
  const extended = await quiesce("window", "extend", "erp", "--until", until, "--reason", "longer");
  expect(extended).toMatchObject({ code: 0, err: expect.stringContaining("Meets others in the next 100 days: 1 overlap") });
});
