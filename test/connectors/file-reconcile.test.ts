import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConnector } from "@quiesce/connectors";
import { bucketOf, compareKeys, type KeyHash, recordHash } from "@quiesce/sdk";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runContext } from "./run-context.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-file-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const endpoint = (more: object = {}) =>
  runContext(fileConnector, {
    config: { folder, streams: [{ name: "s", path: "a.jsonl", format: "jsonl", key: ["id"], settleSeconds: 0, ...more }] },
  });
const reconcile = fileConnector.reconcile;

test("keys come in order and once, with the hash of their last record, in pages of any size", async () => {
  const record = fc.record({ id: fc.string({ unit: "grapheme", minLength: 1, maxLength: 2 }), v: fc.nat(3) });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (records, limit) => {
      await writeFile(join(folder, "a.jsonl"), records.map((one) => `${JSON.stringify(one)}\n`).join(""));
      const last = new Map(records.map((one) => [one.id, { key: one.id, hash: recordHash(one, ["v"]) }]));
      const wanted = [...last.values()].toSorted((a, b) => compareKeys(a.key, b.key));
      const x = await endpoint();
      const found: KeyHash[] = [];
      let after: string | undefined;
      while (true) {
        const page = (await reconcile?.keys?.(x, { stream: "s", fields: ["v"], after, limit })) ?? [];
        found.push(...page);
        if (page.length < limit) break;
        after = page.at(-1)?.key;
      }
      expect(found).toEqual(wanted);
      const within = { buckets: 3, wanted: [1] };
      expect(await reconcile?.keys?.(x, { stream: "s", fields: ["v"], after: undefined, limit: 100, within })).toEqual(
        wanted.filter(({ key }) => bucketOf(key, 3) === 1),
      );
      expect(await reconcile?.count?.(x, { stream: "s" })).toBe(records.length);
    }),
    { numRuns: 50 },
  );
});

test("a file that was changed a moment ago is not compared yet", async () => {
  await writeFile(join(folder, "a.jsonl"), '{"id": 1}\n');
  const x = await endpoint({ settleSeconds: 60 });
  await expect(reconcile?.count?.(x, { stream: "s" })).rejects.toMatchObject({ kind: "transient", info: { retryAfterMs: 60_000 } });
});
