// What somebody writes who needs one copy: batches of 500, each in a transaction with the place it has come to. A process of its own.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import postgres from "postgres";

const BATCH = 500;
const [from, url, source, table] = process.argv.slice(2);
const sql = postgres(url, { max: 1, onnotice: () => undefined });
const reader = postgres(url, { max: 1, onnotice: () => undefined });

async function write(rows, place) {
  await sql.begin(async (tx) => {
    await tx`
      insert into ${tx(table)} (id, name, price, changed_at)
      select id, name, price, changed_at from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id bigint, name text, price numeric, changed_at timestamptz)
      on conflict (id) do update set name = excluded.name, price = excluded.price, changed_at = excluded.changed_at`;
    await tx`insert into place_by_hand (name, place) values (${table}, ${place}) on conflict (name) do update set place = excluded.place`;
  });
}

async function copyFile() {
  let rows = [];
  let lines = 0;
  for await (const line of createInterface({ input: createReadStream(source) })) {
    lines += 1;
    rows.push(JSON.parse(line));
    if (rows.length < BATCH) continue;
    await write(rows, lines);
    rows = [];
  }
  if (rows.length > 0) await write(rows, lines);
}

async function copyTable() {
  let last = { changed_at: "-infinity", id: 0 };
  for (;;) {
    const rows = await reader`
      select id, name, price::text as price, changed_at::text as changed_at from ${reader(source)}
      where (changed_at, id) > (${last.changed_at}::text::timestamptz, ${last.id}::bigint) order by changed_at, id limit ${BATCH}`;
    if (rows.length === 0) return;
    await write(rows, rows.at(-1).id);
    last = rows.at(-1);
    if (rows.length < BATCH) return;
  }
}

process.stdin.once("data", async () => {
  const began = performance.now();
  await (from === "file" ? copyFile() : copyTable());
  console.log(`done ${performance.now() - began}`);
  await Promise.all([sql.end(), reader.end()]);
  process.exit(0);
});
console.log("ready");
