import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { residentMib, seed, startServer, workspace } from "./copy.mjs";

const MIB = 1_048_576;
const LOOK_EVERY_MS = 250;
const PARTS = 10;

/**
 * The memory of a server over one copy of `count` records from a file, by tenths of the records: the largest resident size within the tenth, and what is
 * on the heap at its end, after a collection. What grew with the records would grow from tenth to tenth.
 */
export async function copyMemory(cluster, count) {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-copy-memory-"));
  const url = await cluster.database("bench_memory_data");
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await seed(sql, join(folder, "articles.jsonl"), count);
  const server = await startServer(await cluster.database("bench_memory", { migrated: false }), join(folder, "data"), {
    nodeOptions: ["--expose-gc", "--import", fileURLToPath(new URL("memory-probe.mjs", import.meta.url))],
    ipc: true,
  });
  try {
    await server.ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(workspace(url, folder)) },
    });
    const parts = [];
    let peakMib = 0;
    const look = async (pid, { written }) => {
      peakMib = Math.max(peakMib, await residentMib(pid));
      if ((written ?? 0) < ((parts.length + 1) * count) / PARTS) return;
      server.child.send("collect");
      const [{ heapUsed }] = await once(server.child, "message");
      parts.push({ records: written, peakMib, heapMib: Math.round(heapUsed / MIB) });
      peakMib = 0;
    };
    const { seconds } = await server.run("from-file", LOOK_EVERY_MS, look);
    const [{ copied }] = await sql`select count(*)::integer as copied from copied`;
    if (copied !== count) throw new Error(`${copied} of ${count} records were copied.`);
    return { count, seconds, parts };
  } finally {
    await server.stop();
    await sql.end();
    await rm(folder, { recursive: true, force: true });
  }
}
