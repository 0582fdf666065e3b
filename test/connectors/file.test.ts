import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConnector } from "@quiesce/connectors";
import { parseSettings, writeIdempotency } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listKeys, readPages, readResumed, rejection, runContext, writeItem } from "./run-context.js";

let folder: string;
let outside: string;
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), "quiesce-file-"));
  folder = join(root, "base");
  outside = join(root, "outside");
  await mkdir(join(folder, "in"), { recursive: true });
  await mkdir(outside);
});
afterEach(async () => rm(join(folder, ".."), { recursive: true, force: true }));

async function endpoint(stream: Record<string, unknown>, options: { now?: Date; signal?: AbortSignal } = {}) {
  const config = { folder, streams: [{ name: "s", path: "in/a.csv", format: "csv", key: ["id"], settleSeconds: 0, ...stream }] };
  return runContext(fileConnector, { config, ...options });
}
const csv = (): string => join(folder, "in", "a.csv");
const jsonl = (): string => join(folder, "in", "a.jsonl");
const JSONL = { path: "in/a.jsonl", format: "jsonl" };
const keysOf = (part: { records: readonly { key: string }[] }): string[] => part.records.map((record) => record.key);

describe("the file connector reads", () => {
  test.each([1, 3, 100])(
    "every record once in pages of %d, over multi-byte text, quoted line ends, CRLF, a BOM and blank lines",
    async (pageSize) => {
      const cells = Array.from({ length: 10 }, (_, index) => `${index},"Zoë\n""${"€".repeat(index)}"""\r\n`);
      await writeFile(csv(), `\uFEFFid,name\r\n${cells.join("")}\r\n\n`);
      await writeFile(
        jsonl(),
        `\uFEFF${Array.from({ length: 10 }, (_, index) => `${JSON.stringify({ id: index, name: `Zoë\n"${"€".repeat(index)}"` })}\n`).join("\n")}`,
      );
      for (const stream of [{}, JSONL]) {
        const x = await endpoint(stream);
        const whole = await readPages(fileConnector, x, { stream: "s", pageSize });
        expect(whole.records.map((record) => record.data["name"])).toEqual(
          Array.from({ length: 10 }, (_, index) => `Zoë\n"${"€".repeat(index)}"`),
        );
        expect(await readResumed(fileConnector, x, { stream: "s", pageSize })).toEqual(whole.records);
        expect(await listKeys(fileConnector, x, "s", pageSize)).toEqual(keysOf(whole));
        expect(await readPages(fileConnector, x, { stream: "s", cursor: whole.cursor })).toMatchObject({ records: [], complete: true });
      }
    },
  );

  test("only what was appended, and everything again when the file was replaced, cut, or changed in place", async () => {
    const x = await endpoint(JSONL);
    await writeFile(jsonl(), '{"id":1}\n{"id":2}\n');
    const first = await readPages(fileConnector, x, { stream: "s" });
    await appendFile(jsonl(), '{"id":3}\n');
    const second = await readPages(fileConnector, x, { stream: "s", cursor: first.cursor });
    expect(keysOf(second)).toEqual(["3"]);

    await writeFile(`${jsonl()}.new`, '{"id":1}\n{"id":2}\n{"id":3}\n{"id":4}\n');
    await rename(`${jsonl()}.new`, jsonl());
    const third = await readPages(fileConnector, x, { stream: "s", cursor: second.cursor });
    expect(keysOf(third)).toEqual(["1", "2", "3", "4"]);

    await truncate(jsonl(), 9);
    const fourth = await readPages(fileConnector, x, { stream: "s", cursor: third.cursor });
    expect(keysOf(fourth)).toEqual(["1"]);

    await writeFile(jsonl(), '{"id":7}\n');
    await utimes(jsonl(), new Date(), new Date(Date.now() + 5_000));
    const fifth = await readPages(fileConnector, x, { stream: "s", cursor: fourth.cursor });
    expect(keysOf(fifth)).toEqual(["7"]);

    await writeFile(jsonl(), '{"id":8}\n{"id":9}\n');
    expect(keysOf(await readPages(fileConnector, x, { stream: "s", cursor: fifth.cursor }))).toEqual(["8", "9"]);
  });

  test("a last line without an end waits until the file is quiet, and comes whole when it is completed", async () => {
    await writeFile(jsonl(), '{"id":1}\n{"id":2,"n":"ha');
    const changed = (await stat(jsonl())).mtime;
    const busy = await endpoint({ ...JSONL, settleSeconds: 5 }, { now: new Date(changed.getTime() + 1_000) });
    const first = await readPages(fileConnector, busy, { stream: "s" });
    expect(keysOf(first)).toEqual(["1"]);
    expect(await rejection(listKeys(fileConnector, busy, "s"))).toMatchObject({ kind: "transient", info: { retryAfterMs: 5_000 } });
    await appendFile(jsonl(), 'lf"}');
    const quiet = await endpoint({ ...JSONL, settleSeconds: 5 }, { now: new Date(Date.now() + 60_000) });
    const second = await readPages(fileConnector, quiet, { stream: "s", cursor: first.cursor });
    expect(second.records).toEqual([{ key: "2", data: { id: 2, n: "half" } }]);
    expect((await readPages(fileConnector, quiet, { stream: "s", cursor: second.cursor })).records).toEqual([]);
    await appendFile(jsonl(), '\n{"id":3}\n');
    expect(keysOf(await readPages(fileConnector, quiet, { stream: "s", cursor: second.cursor }))).toEqual(["2", "3"]);
  });

  test("half a CSV line that parses is not taken for a whole one", async () => {
    await writeFile(csv(), "id,name\n1,a\n2,ha");
    const changed = (await stat(csv())).mtime;
    const busy = await endpoint({ settleSeconds: 5 }, { now: new Date(changed.getTime() + 1_000) });
    const first = await readPages(fileConnector, busy, { stream: "s" });
    expect(keysOf(first)).toEqual(["1"]);
    await appendFile(csv(), "lf\n");
    expect((await readPages(fileConnector, busy, { stream: "s", cursor: first.cursor })).records).toMatchObject([
      { data: { name: "half" } },
    ]);
  });

  test("CSV appended to goes on with the header of the first line, or with the configured columns", async () => {
    await writeFile(csv(), "id;name\n1;a\n");
    const x = await endpoint({ delimiter: ";" });
    const first = await readPages(fileConnector, x, { stream: "s" });
    await appendFile(csv(), "2;b\n");
    expect((await readPages(fileConnector, x, { stream: "s", cursor: first.cursor })).records).toEqual([
      { key: "2", data: { id: "2", name: "b" } },
    ]);
    const bare = await endpoint({ delimiter: ";", header: false, columns: ["id", "name"] });
    expect(keysOf(await readPages(fileConnector, bare, { stream: "s" }))).toEqual(["id", "1", "2"]);
  });

  test("says which line is wrong", async () => {
    await writeFile(csv(), "id,name\n1,a\n2\n");
    expect(await rejection(readPages(fileConnector, await endpoint({}), { stream: "s" }))).toMatchObject({
      kind: "contract",
      message: expect.stringContaining("line 3"),
    });
    await writeFile(jsonl(), '{"id":1}\n[2]\n');
    expect(await rejection(readPages(fileConnector, await endpoint(JSONL), { stream: "s" }))).toMatchObject({
      kind: "contract",
      message: expect.stringContaining("byte 9"),
    });
    await writeFile(jsonl(), '{"no":1}\n');
    expect(await rejection(readPages(fileConnector, await endpoint(JSONL), { stream: "s" }))).toMatchObject({
      kind: "contract",
      info: { field: "id" },
    });
    expect(await rejection(readPages(fileConnector, await endpoint({ path: "in/absent" }), { stream: "s" }))).toMatchObject({
      kind: "not_found",
    });
    expect(await rejection(readPages(fileConnector, await endpoint({ path: "in" }), { stream: "s" }))).toMatchObject({ kind: "config" });
    await writeFile(jsonl(), "");
    expect(await readPages(fileConnector, await endpoint(JSONL), { stream: "s" })).toMatchObject({ records: [], complete: true });
  });

  test("stops when it is told to", async () => {
    await writeFile(jsonl(), '{"id":1}\n'.repeat(1000));
    const stop = new AbortController();
    stop.abort({ why: "window" });
    const x = await endpoint(JSONL, { signal: stop.signal });
    expect(await rejection(readPages(fileConnector, x, { stream: "s" }))).toMatchObject({ kind: "cancelled" });
  });
});

describe("the file connector stays in its folder", () => {
  test.each(["../outside/x", "/etc/passwd", "in/../../outside/x", "in\\..\\..\\x", "a\0b", ""])("%j is no path", async (path) => {
    const config = { folder, streams: [{ name: "s", path, format: "jsonl", key: ["id"] }] };
    expect(await parseSettings(fileConnector.config, config)).toMatchObject({ ok: false });
  });

  test.each(["read", "append", "upsert"])(
    "a symbolic link that leads outside is refused for %s, as a file, a folder and a dangling one",
    async (way) => {
      await writeFile(join(outside, "x.jsonl"), '{"id":"secret"}\n');
      await symlink(join(outside, "x.jsonl"), join(folder, "file.jsonl"));
      await symlink(outside, join(folder, "sub"));
      await symlink(join(outside, "new.jsonl"), join(folder, "dangling.jsonl"));
      for (const path of ["file.jsonl", "sub/x.jsonl", "sub/y.jsonl", "dangling.jsonl"]) {
        const x = await endpoint({ path, format: "jsonl", ...(way === "read" ? {} : { write: way }) });
        const work =
          way === "read" ? readPages(fileConnector, x, { stream: "s" }) : fileConnector.write?.apply(x, "s", [writeItem("1", {})]);
        expect(["config", "not_found"]).toContain(Reflect.get(Object(await rejection(Promise.resolve(work))), "kind"));
      }
      expect(await readdir(outside)).toEqual(["x.jsonl"]);
      expect(await readFile(join(outside, "x.jsonl"), "utf8")).toBe('{"id":"secret"}\n');
    },
  );

  test("a link inside the folder, and a base folder that is a link itself, are fine", async () => {
    await writeFile(jsonl(), '{"id":1}\n');
    await symlink("in/a.jsonl", join(folder, "link.jsonl"));
    await symlink(folder, join(outside, "base"));
    const config = { folder: join(outside, "base"), streams: [{ name: "s", path: "link.jsonl", format: "jsonl", key: ["id"] }] };
    const x = await runContext(fileConnector, { config, now: new Date(Date.now() + 60_000) });
    expect(keysOf(await readPages(fileConnector, x, { stream: "s" }))).toEqual(["1"]);
  });
});

describe("the file connector writes", () => {
  const apply = async (stream: Record<string, unknown>, items: ReturnType<typeof writeItem>[]) =>
    fileConnector.write?.apply(await endpoint(stream), "s", items);
  const CSV = { columns: ["id", "name", "ok"], write: "upsert" };

  test("upserts by key, deletes, leaves the file alone when nothing changed, and reads back what it wrote", async () => {
    for (const [stream, path] of [
      [CSV, csv()],
      [{ ...JSONL, write: "upsert" }, jsonl()],
    ] as const) {
      const first = [writeItem("1", { id: 1, name: 'a,"b"\n', ok: true }), writeItem("2", { name: "", ok: null })];
      expect(await apply(stream, first)).toEqual([
        { key: "1", ok: true },
        { key: "2", ok: true },
      ]);
      const before = await stat(path);
      expect(await apply(stream, [...first, writeItem("9", {}, { op: "delete" })])).toEqual(
        [1, 2, 9].map((key) => ({ key: String(key), ok: true, unchanged: true })),
      );
      expect((await stat(path)).ino).toBe(before.ino);
      await apply(stream, [writeItem("1", {}, { op: "delete" }), writeItem("3", { name: "c" })]);
      const { records } = await readPages(fileConnector, await endpoint(stream), { stream: "s" });
      expect(records.map((record) => [record.key, record.data["name"]])).toEqual([
        ["2", ""],
        ["3", "c"],
      ]);
      expect(await readdir(join(folder, "in"))).not.toContainEqual(expect.stringContaining(".tmp"));
    }
  });

  test("appends after a last line without an end, writes the header once, and refuses deletions", async () => {
    await writeFile(jsonl(), '{"id":1}');
    expect(await apply({ ...JSONL, write: "append" }, [writeItem("2", { id: 2 }), writeItem("3", {}, { op: "delete" })])).toMatchObject([
      { ok: true },
      { ok: false, error: { kind: "invalid" } },
    ]);
    expect(await readFile(jsonl(), "utf8")).toBe('{"id":1}\n{"id":2}\n');
    await apply({ ...CSV, write: "append" }, [writeItem("1", { name: "a" })]);
    await apply({ ...CSV, write: "append" }, [writeItem("1", { name: "a" })]);
    expect(await readFile(csv(), "utf8")).toBe("id,name,ok\n1,a,\n1,a,\n");
    const promise = async (stream: Record<string, unknown>) =>
      fileConnector.write === undefined ? "" : writeIdempotency(fileConnector.write, (await endpoint(stream)).config, "s");
    expect([await promise(CSV), await promise({ ...CSV, write: "append" })]).toEqual(["upsert", "none"]);
  });

  test("a bad record fails alone: an unknown column, a list in a cell, another key", async () => {
    const results = await apply(CSV, [
      writeItem("1", { nope: 1 }),
      writeItem("2", { name: ["x"] }),
      writeItem("3", { id: "4" }),
      writeItem("5", { name: "e" }),
    ]);
    expect(results?.map((result) => (result.ok ? "ok" : result.error.field))).toEqual(["nope", "name", "id", "ok"]);
    expect(await readFile(csv(), "utf8")).toBe("id,name,ok\n5,e,\n");
  });

  test("formulas are escaped where that is switched on", async () => {
    await apply({ ...CSV, escapeFormulas: true }, [writeItem("1", { name: "=cmd()" })]);
    expect(await readFile(csv(), "utf8")).toContain("'=cmd()");
    expect(await apply({ ...CSV, escapeFormulas: true }, [writeItem("1", { name: "=cmd()" })])).toMatchObject([{ unchanged: true }]);
  });

  test("a file with columns of its own is not overwritten, and a file's mode stays", async () => {
    await writeFile(csv(), "id,name,ok,extra\n1,a,,x\n");
    expect(await rejection(apply(CSV, [writeItem("2", { name: "b" })]) ?? Promise.resolve())).toMatchObject({
      kind: "contract",
      info: { field: "extra" },
    });
    await writeFile(csv(), "id,name\n1,a\n");
    await chmod(csv(), 0o604);
    await apply(CSV, [writeItem("2", { name: "b" })]);
    expect(await readFile(csv(), "utf8")).toBe("id,name,ok\n1,a,\n2,b,\n");
    expect((await stat(csv())).mode & 0o777).toBe(0o604);
  });

  test("of two writers at once neither loses what the other wrote", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) => apply({ ...JSONL, write: "upsert" }, [writeItem(String(index), { n: index })])),
    );
    const written = outcomes.flatMap((outcome, index) => (outcome.status === "fulfilled" ? [String(index)] : []));
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ kind: "transient" });
    expect(keysOf(await readPages(fileConnector, await endpoint(JSONL), { stream: "s" })).toSorted()).toEqual(written);
    expect(written.length).toBeGreaterThan(0);
  });
});
