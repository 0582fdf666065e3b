import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseWorkspace } from "@quiesce/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommandLine } from "../../../../../test/server/command-line.js";
import { readWorkspaceText } from "../../catalog/workspace-text.js";

let folder: string;
let file: string;
const events = [
  "UID:1\r\nSUMMARY:New Year\r\nDTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY\r\n",
  "UID:2\r\nSUMMARY:Easter days\r\nDTSTART;VALUE=DATE:20270326\r\nDTEND;VALUE=DATE:20270328\r\n",
  "UID:3\r\nSUMMARY:Party\r\nDTSTART:20270401T180000Z\r\nDTEND:20270401T200000Z\r\n",
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-holidays-"));
  file = join(folder, "holidays.ics");
  const text = events.map((event) => `BEGIN:VEVENT\r\n${event}END:VEVENT\r\n`).join("");
  await writeFile(file, `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${text}END:VCALENDAR\r\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quiesce = (...args: readonly string[]) => runCommandLine(args, { folder });

it("makes a holiday calendar of an iCalendar file, its rules unrolled, and says what it left out", async () => {
  const made = await quiesce("calendar", "holidays", "spain", file, "--title", "Spain", "--from", "2027", "--years", "2");
  expect(made).toMatchObject({ code: 0, err: expect.stringContaining("Left out: Party") });
  const read = readWorkspaceText(made.out, { fileName: "out" });
  expect(read.ok && read.document.holidayCalendars).toEqual([
    { key: "spain", title: "Spain", dates: ["2027-01-01", "2027-03-26", "2027-03-27", "2028-01-01"] },
  ]);
  const json = await quiesce("calendar", "holidays", "spain", file, "--title", "Spain", "--from", "2027", "--years", "2", "--json");
  const parsed = parseWorkspace(JSON.parse(json.out));
  expect(parsed.ok && parsed.document.holidayCalendars).toEqual(read.ok && read.document.holidayCalendars);
});

it("refuses a file that is none, years without a holiday, and numbers that do not fit", async () => {
  expect(await quiesce("calendar", "holidays", "x", join(folder, "none.ics"))).toMatchObject({
    err: expect.stringContaining("cannot be read"),
  });
  expect((await quiesce("calendar", "holidays", "x", file, "--from", "2020", "--years", "2")).err).toContain("no whole-day event");
  expect((await quiesce("calendar", "holidays", "x", file, "--years", "0")).err).toContain("--years 0 does not fit");
  expect((await quiesce("calendar", "holidays", "No Slug", file, "--from", "2027")).code).not.toBe(0);
});
