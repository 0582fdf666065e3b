import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { clock } from "../../clock.js";

let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const dayAhead = (days: number): string => new Date(clock.wallMs() + days * 86_400_000).toISOString().slice(0, 10);
const series = async (key: string) => {
  const listed = JSON.parse((await quiesce("window", "list", "--json")).out) as readonly { key: string; series: object; kind: string }[];
  return listed.find((one) => one.key === key);
};

beforeAll(async () => {
  server = await commandLineServer({ name: "window-edit" });
  const file = join(server.folder, "workspace.yaml");
  await writeFile(
    file,
    `quiesce: 1
systems: [{ key: erp }]
integrations: [{ key: orders, via: [erp] }]
jobs: [{ key: nightly, integration: orders, schedule: { cron: "0 3 * * *", timeZone: Europe/Madrid } }]
`,
  );
  expect(await quiesce("apply", "-f", file, "--yes")).toMatchObject({ code: 0 });
});
afterAll(() => server?.close());

const said = (title: string) => ["--title", title, "--zone", "UTC", "--owner", "ops", "--reason", "r", "--yes"];
const plan = (title: string, ...more: readonly string[]) => ["window", "create", ...said(title), ...more];

it("a window is edited by what is named alone, and split with anything different from there on", async () => {
  const [first, third] = [dayAhead(1), dayAhead(3)];
  const made = plan("Nightly", "--system", "erp", "--start", `${first}T01:00`, "--end", "03:00", "--rrule", "FREQ=DAILY");
  expect(await quiesce(...made)).toMatchObject({ code: 0 });
  expect(await quiesce("window", "edit", "nightly", "--end", "02:30", "--canaries", "0")).toMatchObject({
    code: 0,
    out: "Window nightly is changed.\n",
  });
  expect(await series("nightly")).toMatchObject({
    series: { start: `${first}T01:00`, end: `${first}T02:30`, rrule: "FREQ=DAILY", timeZone: "UTC" },
  });
  expect(await quiesce("window", "edit", "nightly")).toMatchObject({ code: 2, err: expect.stringContaining("What should be different?") });
  const split = ["window", "split", "nightly", "--occurrence", `${third} 01:00`, "--key", "weekly", "--reason", "less often"];
  expect(
    await quiesce(
      ...split,
      "--rrule",
      "FREQ=WEEKLY",
      "--end",
      "05:00",
      "--kind",
      "change",
      "--all",
      "--drain-deadline",
      "10m",
      "--window-reason",
      "slow",
    ),
  ).toMatchObject({ code: 0, out: `Window nightly ends before ${third} 01:00; weekly goes on from there.\n` });
  expect(await series("weekly")).toMatchObject({
    kind: "CHANGE",
    reason: "slow",
    scope: { all: true },
    series: { start: `${third}T01:00`, end: `${third}T05:00`, rrule: "FREQ=WEEKLY" },
  });
});

it("a change inside a freeze is refused with the nearest free time, unless a reason overrides it", async () => {
  const [from, inside, until] = [dayAhead(40), dayAhead(45), dayAhead(50)];
  const freeze = plan(
    "Year end",
    "--key",
    "year-end",
    "--kind",
    "freeze",
    "--system",
    "erp",
    "--start",
    `${from}T00:00`,
    "--end",
    `${until}T00:00`,
  );
  expect(await quiesce(...freeze)).toMatchObject({ code: 0 });
  const change = plan("Upgrade", "--kind", "change", "--system", "erp", "--start", `${inside}T22:00`, "--end", "23:00");
  const refused = await quiesce(...change);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("QSC_WINDOW_IN_FREEZE") });
  expect(refused.err).toContain('falls into the freeze "year-end"'.replace("falls", "would fall"));
  expect(refused.err).toContain(`The nearest time that is free: ${dayAhead(50)}T22:00`);
  const made = await quiesce(...change, "--override-freeze", "security fix");
  expect(made).toMatchObject({ code: 0, err: expect.stringContaining("The freeze year-end (Year end) is overridden: ops is told.") });
  const file = join(server.folder, "in-freeze.yaml");
  await writeFile(
    file,
    `quiesce: 1
windows:
  - { key: late, title: Late, kind: change, start: "${inside}T10:00", end: "${inside}T11:00", timeZone: UTC, scope: { systems: [erp] }, owner: ops, reason: r }
`,
  );
  const tried = await quiesce("apply", "-f", file, "--dry-run");
  expect(tried).toMatchObject({
    code: 1,
    out: expect.stringContaining("Would be refused: 1 to create."),
    err: expect.stringContaining('into the freeze "year-end"'),
  });
  const overridden = await quiesce("apply", "-f", file, "--dry-run", "--override-freeze", "security fix");
  expect(overridden).toMatchObject({ code: 0, err: expect.stringContaining("The change late falls into year-end, which is overridden") });
  expect((await quiesce("window", "status", "late")).code).toBe(1);
  expect((await quiesce("window", "override-freeze", "upgrade", "--reason", "r")).err).toContain("QSC_WINDOW_NOT_IN_FREEZE");
});

it("the preview says what the month keeps of each system", async () => {
  const preview = await quiesce(
    "window",
    "preview",
    "--system",
    "erp",
    "--zone",
    "UTC",
    "--start",
    `${dayAhead(70)}T01:00`,
    "--end",
    "05:00",
  );
  expect(preview.out).toMatch(/Planned availability in \d{4}-\d{2} \(UTC, \d+d 0h\), whatever else may fail/);
  expect(preview.out).toMatch(/system\s+erp\s+\d+h \d\dm\s+\S+ \S+\s+\S+ % -> \d\d\.\d{4} %/);
});

it("zone data are compared with those of the server or of a folder here, and nothing comes into force", async () => {
  const before = JSON.parse((await quiesce("zones", "show", "--json")).out) as { version: string };
  const diff = await quiesce("zones", "diff", "--to", "packaged");
  expect(diff).toMatchObject({ code: 0, out: expect.stringContaining("Occurrences that move, next 90 days: 0") });
  expect(await quiesce("zones", "diff", "--to", server.folder)).toMatchObject({
    err: expect.stringContaining("QSC_ZONE_DATA_FOLDER_UNUSABLE"),
  });
  expect(JSON.parse((await quiesce("zones", "show", "--json")).out)).toMatchObject({ version: before.version });
  expect((await quiesce("zones", "show")).out).toContain("It has not changed since the first start.");
});
