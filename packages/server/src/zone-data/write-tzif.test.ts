import { packagedZoneData, parseZoneData, zoneFromTransitions } from "@quiesce/core";
import { describe, expect, test } from "vitest";
import { packagedZoneDataFiles } from "./load-zone-data.js";
import { writeTzif } from "./write-tzif.js";
import { packZoneFiles, unpackZoneFiles, zoneDataOf } from "./zone-data-files.js";

describe("zone data as bytes", () => {
  test("a written zone is read back with the same offsets at the same instants", () => {
    const packaged = packagedZoneData();
    for (const name of ["UTC", "Europe/Madrid", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu"]) {
      const zone = packaged.zone(name);
      if (zone === undefined) throw new Error(`${name} is not packaged.`);
      const back = parseZoneData({ version: "2026f", source: "test", files: { [name]: writeTzif(zone) } }).zone(name);
      expect(back?.starts, name).toEqual(zone.starts);
      expect(back?.offsets, name).toEqual(zone.offsets);
    }
  });

  test("a zone without any change is read back", () => {
    const zone = zoneFromTransitions({ name: "X", firstOffsetMs: -12_600_000, transitions: [] });
    const back = parseZoneData({ version: "1", source: "test", files: { X: writeTzif(zone) } }).zone("X");
    expect(back).toEqual(zone);
  });

  test("packed files come back whole, links too, and take less than half a megabyte", () => {
    const data = packagedZoneDataFiles();
    const packed = packZoneFiles(data.files);
    expect(packed.length).toBeLessThan(500_000);
    const unpacked = unpackZoneFiles(packed);
    expect([...unpacked.keys()].toSorted()).toEqual([...data.files.keys()].toSorted());
    for (const [name, bytes] of data.files) expect(Buffer.compare(unpacked.get(name) ?? Buffer.alloc(0), bytes), name).toBe(0);
    expect(zoneDataOf({ ...data, files: unpacked }).names()).toEqual(packagedZoneData().names());
  });

  test("what is no packed data is refused", () => {
    expect(() => unpackZoneFiles(Buffer.from("no gzip"))).toThrow();
  });
});
