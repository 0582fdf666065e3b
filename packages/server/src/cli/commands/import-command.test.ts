import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { firstPartyConnectors } from "@quiesce/connectors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { readWorkspaceText } from "../../catalog/workspace-text.js";

const example = (name: string): string => fileURLToPath(new URL(`../../../../../examples/imports/${name}`, import.meta.url));
// Before the windows of the examples.
const NOW = Date.UTC(2026, 10, 20, 12);

let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);

beforeAll(async () => {
  server = await commandLineServer({ name: "import", connectors: firstPartyConnectors, wallMs: () => NOW });
  const workspace = join(server.folder, "workspace.yaml");
  await writeFile(workspace, "quiesce: 1\nsystems:\n  - key: erp\n  - key: shop\n");
  expect(await quiesce("apply", "-f", workspace)).toMatchObject({ code: 0, err: "" });
});
afterAll(() => server.close());

const mapped = ["--map-file", example("map.yaml"), "--owner", "ops"];

function windowsOf(text: string) {
  const read = readWorkspaceText(text, { fileName: "out", references: false });
  if (!read.ok) throw new Error(read.problems[0]?.message);
  return read.document.windows.map(({ key, start, end, timeZone, rrule, scope }) => ({ key, start, end, timeZone, rrule, scope }));
}
const erp = { systems: ["erp"] };

describe("quiesce import", () => {
  it("makes windows of a list that was copied from a screen", async () => {
    const { code, out, err } = await quiesce("import", "list", example("list.yaml"), ...mapped);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(windowsOf(out).map(({ key, rrule }) => [key, rrule])).toEqual([
      ["list-erp-release", "FREQ=WEEKLY;BYDAY=SU"],
      ["list-month-end", "FREQ=MONTHLY;BYMONTHDAY=1"],
    ]);
  });

  it("makes windows of an Alertmanager's intervals, and leaves out the active ones by name", async () => {
    const { code, out, err } = await quiesce("import", "alertmanager", example("alertmanager.yml"), ...mapped);
    expect(windowsOf(out)).toEqual([
      {
        key: "alertmanager-erp-patches",
        start: "2026-12-06T02:00",
        end: "2026-12-06T06:00",
        timeZone: "Europe/Madrid",
        rrule: "FREQ=DAILY;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU",
        scope: erp,
      },
      {
        key: "alertmanager-nights",
        start: "2026-11-19T22:00",
        end: "2026-11-20T06:00",
        timeZone: "Europe/Madrid",
        rrule: "FREQ=DAILY",
        scope: erp,
      },
      {
        key: "alertmanager-nights-2",
        start: "2026-11-21T00:00",
        end: "2026-11-23T00:00",
        timeZone: "Europe/Madrid",
        rrule: "FREQ=WEEKLY;BYDAY=SA",
        scope: erp,
      },
    ]);
    expect(err).toContain("Left out: office-hours. It is an active time interval");
    expect(code).toBe(1);
    expect(await quiesce("import", "alertmanager", example("alertmanager.yml"), ...mapped, "--allow-partial")).toMatchObject({ code: 0 });
  });

  it("makes windows of Grafana's mute timings", async () => {
    const { code, out } = await quiesce("import", "grafana", example("grafana.yaml"), ...mapped);
    expect(code).toBe(0);
    expect(windowsOf(out)).toMatchObject([
      { key: "grafana-month-end", start: "2026-11-28T00:00", end: "2026-12-01T00:00", rrule: "FREQ=MONTHLY;BYMONTHDAY=-3" },
      { start: "2027-01-07T20:00", end: "2027-01-07T23:30", rrule: "FREQ=DAILY;BYMONTH=1,2,3;BYDAY=TH;UNTIL=20271231T235959" },
    ]);
  });

  it("makes windows of Opsgenie's maintenances, without the endless one and the one that is over", async () => {
    const { code, out, err } = await quiesce("import", "opsgenie", example("opsgenie.json"), ...mapped);
    expect(windowsOf(out)).toMatchObject([{ start: "2027-03-25T08:45", end: "2027-03-25T21:45", timeZone: "UTC", scope: erp }]);
    expect(err).toContain("Left out: Until further notice. It has no end.");
    expect(err).toContain("Over: Last winter.");
    expect(code).toBe(1);
  });

  it("makes windows of PagerDuty's, with names from the command line over those of the file", async () => {
    const args = ["import", "pagerduty", example("pagerduty.json"), ...mapped];
    const partial = await quiesce(...args, "--json");
    expect(partial.code).toBe(1);
    expect(JSON.parse(partial.out)).toMatchObject({ unmapped: [{ entity: { id: "PIJ90N8" } }], document: { windows: [{ scope: erp }] } });
    const file = join(server.folder, "windows.yaml");
    expect(await quiesce(...args, "--map", "Shop=system:shop", "--map", "ERP=tag:erp", "-o", file)).toMatchObject({ code: 0, out: "" });
    expect(windowsOf(await readFile(file, "utf8"))).toMatchObject([
      { key: "pagerduty-pw98yio", start: "2027-11-10T01:00", scope: { systems: ["shop"], tags: ["erp"] } },
    ]);
  });

  it("applies the windows and nothing else, once, and nothing at all while something is left out", async () => {
    const args = ["import", "pagerduty", example("pagerduty.json"), ...mapped, "--apply"];
    expect(await quiesce(...args)).toMatchObject({ code: 1, err: expect.stringContaining("Nothing was applied") });
    expect((await quiesce("window", "list", "--json")).out).not.toContain("pagerduty");
    const whole = [...args, "--map", "Shop=system:shop"];
    expect(await quiesce(...whole)).toMatchObject({ code: 0, err: expect.stringContaining("Applied: 1 created") });
    const exported = await quiesce("export");
    expect(windowsOf(exported.out)).toMatchObject([{ key: "pagerduty-pw98yio", scope: { systems: ["erp", "shop"] } }]);
    expect(exported.out).toContain("key: shop");
    expect(await quiesce(...whole)).toMatchObject({ code: 0, err: expect.stringContaining("Nothing to change") });
  });

  it("refuses files and options that do not fit, and repeats nothing of a file that may hold secrets", async () => {
    const broken = join(server.folder, "broken.yml");
    await writeFile(broken, "global:\n  smtp_auth_password: hunter2\n smtp: [");
    const refused = await quiesce("import", "alertmanager", broken, ...mapped);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("neither YAML nor JSON") });
    expect(refused.err).not.toContain("hunter2");
    expect((await quiesce("import", "pagerduty", example("opsgenie.json"), ...mapped)).err).toContain("QSC_IMPORT_DOCUMENT_INVALID");
    expect((await quiesce("import", "grafana", example("grafana.yaml"), "--owner", "x", "--map", "month-end")).code).toBe(2);
    expect((await quiesce("import", "alumio", example("grafana.yaml"), "--owner", "x")).code).toBe(2);
  });
});
