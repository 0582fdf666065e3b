import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadMasterKey, parseMasterKey } from "./master-key.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-key-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the master key", () => {
  test("a missing key file is made with mode 600, once, and gives the same key again", async () => {
    const keyFile = join(folder, "data", "master.key");
    const first = await loadMasterKey({ keyFile });
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    expect((await loadMasterKey({ keyFile })).id).toBe(first.id);
  });

  test("two servers that start together agree on one key and leave no draft behind", async () => {
    const keyFile = join(folder, "master.key");
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey({ keyFile })));
    expect(new Set(keys.map((key) => key.id)).size).toBe(1);
    expect(await readdir(folder)).toEqual(["master.key"]);
  });

  test("a key file that others can read is refused", async () => {
    const keyFile = join(folder, "master.key");
    await loadMasterKey({ keyFile });
    await chmod(keyFile, 0o640);
    await expect(loadMasterKey({ keyFile })).rejects.toThrow(/mode 640, expected 600/);
  });

  test("the given value wins over the file, as base64 or hex", async () => {
    const bytes = Buffer.alloc(32, 7);
    const keyFile = join(folder, "master.key");
    const key = await loadMasterKey({ keyFile, value: bytes.toString("base64") });
    expect(key.key.equals(bytes)).toBe(true);
    expect(parseMasterKey(` ${bytes.toString("hex")}\n`).id).toBe(key.id);
    expect(await readdir(folder)).toEqual([]);
  });

  test("a key of the wrong length or alphabet is refused without being repeated", async () => {
    for (const text of ["c2hvcnQ=", "not a key!", ""]) {
      expect(() => parseMasterKey(text)).toThrow(/openssl rand -base64 32/);
    }
    const keyFile = join(folder, "master.key");
    await writeFile(keyFile, "SECRETSECRET\n", { mode: 0o600 });
    await expect(loadMasterKey({ keyFile })).rejects.toThrow(expect.not.stringContaining("SECRETSECRET"));
  });
});
