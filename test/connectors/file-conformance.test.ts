import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConnector } from "@quiesce/connectors";
import { conformance, real, type ConformanceOptions, type SeedRow } from "@quiesce/sdk/testing";
import { describe, it } from "vitest";

interface Folder {
  readonly path: string;
}

const linesOf = (path: string): readonly string[] => (existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : []);
const idOf = (line: string): string => String((JSON.parse(line) as { id: unknown }).id);

function optionsOf(write: "append" | "upsert"): ConformanceOptions<Folder> {
  const source = ({ path }: Folder): string => join(path, "in.jsonl");
  const target = ({ path }: Folder): string => join(path, "out.jsonl");
  const line = ({ id, at, n }: SeedRow): string => `${JSON.stringify({ id, at: at.toISOString(), n })}\n`;
  return {
    server: real({
      start: async () => {
        const path = await mkdtemp(join(tmpdir(), "quiesce-conformance-"));
        return { url: `file://${path}`, system: { path }, stop: () => rm(path, { recursive: true, force: true }) };
      },
    }),
    config: {
      valid: ({ system }) => ({
        folder: system.path,
        streams: [
          { name: "in", path: "in.jsonl", format: "jsonl", key: ["id"], settleSeconds: 0 },
          { name: "out", path: "out.jsonl", format: "jsonl", key: ["id"], settleSeconds: 0, write },
        ],
      }),
      invalid: [
        {},
        { folder: "relative", streams: [] },
        { folder: "/", streams: [{ name: "s", path: "../x", format: "csv", key: ["id"] }] },
      ],
    },
    secrets: { valid: {} },
    read: {
      stream: "in",
      // A file grows at its end, or is replaced as a whole when a record is taken out.
      seed: (folder, rows) => appendFileSync(source(folder), rows.map(line).join("")),
      remove: (folder, id) => {
        const kept = linesOf(source(folder)).filter((one) => idOf(one) !== id);
        writeFileSync(source(folder), kept.map((one) => `${one}\n`).join(""));
      },
    },
    write: {
      stream: "out",
      item: (n) => ({ key: String(n), data: { n } }),
      bad: (n) => ({ key: String(n), data: { id: "another" } }),
      stored: (folder) => linesOf(target(folder)).map(idOf),
      deletes: write === "upsert",
    },
    reconcile: { fields: ["n"], data: ({ n }) => ({ n }) },
  };
}

describe.each(["append", "upsert"] as const)("a folder, written by %s", (write) => {
  conformance(fileConnector, { describe, it, ...optionsOf(write) });
});
