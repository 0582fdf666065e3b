import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import postgres from "postgres";

/** Turn by turn, so that what else the machine does meets both. */
const rounds = 3;
const limitMs = 20 * 60_000;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * `count` records through the whole of Quiesce (claim, read, map, write, commit of cursor and results) beside a copy that was written by hand, each in a
 * process of its own, on one durable PostgreSQL. Answers seconds of each, the ratio, and how the server's memory went.
 */
export async function copies(cluster, count) {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-copy-"));
  const url = await cluster.database("bench_copy_data");
  const sql = postgres(url, { max: 2, onnotice: () => undefined });
  const file = join(folder, "articles.jsonl");
  await seed(sql, file, count);
  const server = await startServer(await cluster.database("bench_copy", { migrated: false }), join(folder, "data"));
  try {
    await server.ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(workspace(url, folder)) },
    });
    const figures = [];
    for (const route of ["file", "table"]) {
      const ours = [];
      const theirs = [];
      const memory = [];
      for (let round = 0; round < rounds; round += 1) {
        await sql.unsafe("truncate copied, by_hand, place_by_hand");
        await server.forget(`from-${route}`);
        const run = await server.run(`from-${route}`);
        ours.push(run.seconds);
        memory.push(...run.memory);
        theirs.push(await byHand(route, url, route === "file" ? file : "article"));
        await requireEqual(sql, count);
      }
      const [our, their] = [median(ours), median(theirs)];
      figures.push({ route, count, seconds: our, byHandSeconds: their, ratio: their / our, ...range(memory) });
    }
    return figures;
  } finally {
    await server.stop();
    await sql.end();
    await rm(folder, { recursive: true, force: true });
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
/** The first third of the run beside the last: what grows with the records would show there. */
const range = (memory) => {
  const third = Math.max(1, Math.floor(memory.length / 3));
  return { earlyMib: Math.max(...memory.slice(0, third)), lateMib: Math.max(...memory.slice(-third)) };
};

export async function seed(sql, file, count) {
  await sql.unsafe(`
    create table article (id bigint primary key, name text not null, price numeric not null, changed_at timestamptz not null);
    create index on article (changed_at, id);
    create table copied (id bigint primary key, name text not null, price numeric not null, changed_at timestamptz not null);
    create table by_hand (like copied including all);
    create table place_by_hand (name text primary key, place bigint);
    insert into article select n, 'Article ' || n, n / 7.0, timestamptz '2026-01-01' + n * interval '1 millisecond' from generate_series(1, ${count}) as n`);
  await sql.unsafe("vacuum analyze article");
  const out = createWriteStream(file);
  for await (const rows of sql`select id::text, name, price::text, to_json(changed_at) #>> '{}' as changed_at from article order by id`.cursor(
    5_000,
  )) {
    const text = rows.map(({ id, ...row }) => JSON.stringify({ id: Number(id), ...row })).join("\n");
    if (!out.write(`${text}\n`)) await once(out, "drain");
  }
  await new Promise((resolve) => out.end(resolve));
}

export function workspace(url, folder) {
  const address = new URL(url);
  const table = (name, more = {}) => ({ name, table: name, key: ["id"], ...more });
  const mapping = { fields: { id: { from: "id" }, name: { from: "name" }, price: { from: "price" }, changed_at: { from: "changed_at" } } };
  const postgresEndpoint = {
    key: "database",
    system: "all",
    connector: "postgres",
    allowPrivate: [address.hostname],
    config: {
      host: address.hostname,
      port: Number(address.port),
      database: address.pathname.slice(1),
      user: decodeURIComponent(address.username),
      ssl: "disable",
      streams: [table("article", { cursorColumn: "changed_at", overlapSeconds: 0 }), table("copied")],
    },
    secrets: address.password === "" ? {} : { password: { value: decodeURIComponent(address.password) } },
  };
  const files = { folder, streams: [{ name: "articles", path: "articles.jsonl", format: "jsonl", key: ["id"], settleSeconds: 0 }] };
  const job = (route) => ({ key: `from-${route}`, integration: `from-${route}`, timeout: "1h" });
  return {
    quiesce: 1,
    systems: [{ key: "all" }],
    endpoints: [postgresEndpoint, { key: "files", system: "all", connector: "file", config: files }],
    integrations: [
      { key: "from-file", source: "files", target: "database", streams: [{ stream: "articles", target: "copied", mapping }] },
      { key: "from-table", source: "database", target: "database", streams: [{ stream: "article", target: "copied", mapping }] },
    ],
    jobs: [job("file"), job("table")],
  };
}

/** The built server in a process of its own. `nodeOptions` are Node's; with an `ipc` channel it can be asked by a module that they load. */
export async function startServer(url, dataDir, { nodeOptions = [], ipc = false } = {}) {
  const port = 15_000 + Math.floor(Math.random() * 10_000);
  const own = postgres(url, { max: 2, onnotice: () => undefined });
  const child = spawn(process.execPath, [...nodeOptions, here("../../packages/server/bin/quiesce.js"), "start"], {
    env: { PATH: process.env.PATH, DATABASE_URL: url, PORT: String(port), QUIESCE_DATA_DIR: dataDir, QUIESCE_LOG_LEVEL: "error" },
    stdio: ["ignore", "ignore", "inherit", ...(ipc ? ["ipc"] : [])],
  });
  const token = async () => (await readFile(join(dataDir, "admin-token"), "utf8").catch(() => "")).trim();
  while ((await token()) === "") {
    if (child.exitCode !== null) throw new Error("The server ended at its start.");
    await sleep(100);
  }
  const ask = async (query, variables) => {
    const headers = { authorization: `Bearer ${await token()}`, "content-type": "application/json" };
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
  return {
    ask,
    child,
    /** The next run begins at the beginning. */
    forget: (integration) => own`delete from stream_state where integration_id = (select id from integration where key = ${integration})`,
    async run(job, everyMs = 100, look = residentMib) {
      const { runNow } = await ask("mutation ($input: RunNowInput!) { runNow(input: $input) { key } }", {
        input: { job, reason: "bench" },
      });
      const memory = [];
      for (const began = performance.now(); performance.now() - began < limitMs;) {
        await sleep(everyMs);
        const [row] = await own`
          select state, error, (figures ->> 'written')::integer as written, extract(epoch from finished_at - started_at)::float8 as seconds
          from run where id = ${runNow.key}::uuid`;
        memory.push(await look(child.pid, row));
        if (row.state === "succeeded") return { seconds: row.seconds, memory };
        if (row.state === "dead" || row.state === "failed") throw new Error(JSON.stringify(row.error));
      }
      throw new Error("The run did not end.");
    },
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      await own.end();
    },
  };
}

/** Of Linux; 0 elsewhere. */
export async function residentMib(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024);
}

async function byHand(route, url, source) {
  const child = spawn(process.execPath, [here("copy-by-hand.mjs"), route, url, source, "by_hand"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  child.stdin.write("go\n");
  const { value } = await lines.next();
  if (value === undefined) throw new Error("The copy by hand ended before its time.");
  return Number(String(value).split(" ")[1]) / 1_000;
}

/** A fast copy of something else would be no copy. */
async function requireEqual(sql, count) {
  const [row] = await sql`
    select (select count(*)::integer from copied) as copied, (select count(*)::integer from by_hand) as by_hand,
      (select count(*)::integer from (select * from copied except select * from article) as d) as differ`;
  if (row.copied !== count || row.by_hand !== count || row.differ !== 0) throw new Error(`The copies differ: ${JSON.stringify(row)}`);
}
