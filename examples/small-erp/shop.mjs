import postgres from "postgres";

const DATABASE = "quiesce_example_shop";

/** The web shop's database, on the PostgreSQL server that Quiesce uses but a database of its own. Answers how to reach it. */
export async function ensureShop(databaseUrl) {
  const admin = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    const [known] = await admin`select 1 as known from pg_database where datname = ${DATABASE}`;
    if (known === undefined) await admin.unsafe(`create database ${DATABASE}`);
  } finally {
    await admin.end();
  }
  const url = new URL(databaseUrl);
  url.pathname = `/${DATABASE}`;
  await createTables(url.href);
  return {
    host: url.hostname,
    port: Number(url.port === "" ? 5_432 : url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: DATABASE,
  };
}

/** The shop had its tables before anybody integrated it. */
async function createTables(databaseUrl) {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`
      create table if not exists orders (
        id text primary key, customer text not null, product text not null, amount integer not null, total numeric not null, changed_at timestamptz not null)`;
    await sql`create index if not exists orders_changed on orders (changed_at, id)`;
    await sql`
      create table if not exists products (
        id text primary key, name text not null, price numeric not null, stock integer not null, changed_at timestamptz not null)`;
  } finally {
    await sql.end();
  }
}
