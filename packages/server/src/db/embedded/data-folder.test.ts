import { chmod, mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { prepareDataFolder } from "./data-folder.js";

/** An account that owns nothing. Only root hands the server to another account, and only root can make its folders. */
const STRANGER = { name: "stranger", uid: 61_234, gid: 61_234 };
const STATE = "/var/lib/quiesce";
const isRoot = process.getuid?.() === 0;

let parent: string;

beforeEach(async () => {
  parent = await realpath(await mkdtemp(join(tmpdir(), `quiesce-test-${process.pid}-`)));
});

afterEach(() => rm(parent, { recursive: true, force: true }));

test("an ordinary user's data is where it was asked for, however closed the folders are", async () => {
  const wanted = join(parent, "deep", "data");
  expect(await prepareDataFolder(wanted, undefined)).toBe(wanted);
});

describe.runIf(isRoot)("as root", () => {
  test("data below a folder that the account cannot enter goes to a place of its own", async () => {
    const wanted = [join(parent, "one"), join(parent, "two")];
    const folders = await Promise.all(wanted.map((folder) => prepareDataFolder(folder, STRANGER)));
    expect(folders.every((folder) => folder.startsWith(`${STATE}/`))).toBe(true);
    expect(folders[0]).not.toBe(folders[1]);
    expect(await readdir(parent)).toEqual([]);
    for (const folder of folders) await rm(folder, { recursive: true });
  });

  test("an empty closed folder is opened for passing through only, one that holds something is left as it is", async () => {
    await chmod(parent, 0o755);
    const empty = join(parent, "empty");
    await mkdir(empty, { mode: 0o700 });
    expect(await prepareDataFolder(empty, STRANGER)).toBe(empty);
    expect((await stat(empty)).mode & 0o777).toBe(0o711);
    const used = join(parent, "used");
    await mkdir(used, { mode: 0o700 });
    await writeFile(join(used, "mine"), "");
    const elsewhere = await prepareDataFolder(used, STRANGER);
    expect(elsewhere.startsWith(`${STATE}/`)).toBe(true);
    expect((await stat(used)).mode & 0o777).toBe(0o700);
    await rm(elsewhere, { recursive: true });
  });
});
