import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { offsetAt, packagedZoneData, zoneFromTransitions } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../../../test/database/silent-log.js";
import { loadZoneData } from "./load-zone-data.js";
import { writeTzif } from "./write-tzif.js";
import { zoneDataOf } from "./zone-data-files.js";

let folder: string;
let warnings: string[];
const log = { ...silentLog, warn: (_facts: unknown, message?: string) => void warnings.push(message ?? "") };
const zoneBytes = (name: string, offsetMs: number) => writeTzif(zoneFromTransitions({ name, firstOffsetMs: offsetMs, transitions: [] }));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-zones-"));
  warnings = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fill(files: Readonly<Record<string, Uint8Array | string>>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}
const zoneinfo = (version: string) => ({
  "tzdata.zi": `# version ${version}\n# more\n`,
  UTC: zoneBytes("UTC", 0),
  "Europe/Madrid": zoneBytes("Europe/Madrid", 7_200_000),
  "posix/Europe/Madrid": zoneBytes("Europe/Madrid", 0),
  "zone.tab": "no zone",
});

describe("this server's own zone data", () => {
  test("are the system's when these are newer than the packaged ones, without its copies and tables", async () => {
    await fill(zoneinfo("2099a"));
    await symlink("Europe/Madrid", join(folder, "Madrid"));
    const data = await loadZoneData({ systemFolder: folder, log });
    expect(data).toMatchObject({ version: "2099a", source: folder });
    expect([...data.files.keys()]).toEqual(["Europe/Madrid", "Madrid", "UTC"]);
    const madrid = zoneDataOf(data).zone("Madrid");
    expect(madrid === undefined ? null : offsetAt(0, madrid)).toBe(7_200_000);
  });

  test.each(["2025b", packagedZoneData().version])("are the packaged ones when the system has %s", async (version) => {
    await fill(zoneinfo(version));
    expect(await loadZoneData({ systemFolder: folder, log })).toMatchObject({ version: packagedZoneData().version, source: "packaged" });
  });

  test("are the packaged ones when the system's name no version, lack UTC, or are not there", async () => {
    const packaged = { source: "packaged" };
    await fill({ ...zoneinfo("2099a"), "tzdata.zi": "# some text\n" });
    expect(await loadZoneData({ systemFolder: folder, log })).toMatchObject(packaged);
    await fill({ "+VERSION": "2099a\n", UTC: "no zone" });
    expect(await loadZoneData({ systemFolder: folder, log })).toMatchObject(packaged);
    expect(warnings).toEqual(["The system's zone data are left out."]);
    expect(await loadZoneData({ systemFolder: join(folder, "nowhere"), log })).toMatchObject(packaged);
    expect(await loadZoneData({ systemFolder: null, log })).toMatchObject(packaged);
  });

  test("are those of the configured folder whatever their age, and one that cannot be used is refused", async () => {
    await fill({ ...zoneinfo("2020a"), "tzdata.zi": "", "+VERSION": "2020a\n" });
    expect(await loadZoneData({ folder, log })).toMatchObject({ version: "2020a", source: folder });
    await expect(loadZoneData({ folder: join(folder, "nowhere"), log })).rejects.toMatchObject({ code: "QSC_ZONE_DATA_FOLDER_UNUSABLE" });
    await rm(join(folder, "UTC"));
    await expect(loadZoneData({ folder, log })).rejects.toThrow(/no UTC/);
  });

  test("are those inside Node.js only when there are no others, with a warning", async () => {
    const data = await loadZoneData({ systemFolder: null, packaged: null, log });
    expect(data.version).toBe(process.versions["tz"]);
    expect(warnings).toHaveLength(1);
    const packaged = packagedZoneData();
    const zones = zoneDataOf(data);
    for (const name of ["UTC", "Europe/Madrid", "Asia/Katmandu", "America/St_Johns", "Australia/Lord_Howe"]) {
      const [own, known] = [zones.zone(name), packaged.zone(name)];
      if (own === undefined || known === undefined) throw new Error(`${name} is missing.`);
      for (let at = Date.UTC(2024, 0, 1); at < Date.UTC(2036, 0, 1); at += 5 * 3_600_000 + 7) {
        if (offsetAt(at, own) !== offsetAt(at, known)) expect.fail(`${name} at ${new Date(at).toISOString()}`);
      }
    }
  });
});
