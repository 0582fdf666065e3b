import postgres from "postgres";
import { startServer, type ServerProcess } from "./server-process.js";

const BIN = "/usr/lib/postgresql/15/bin";

/** What a suite needs that starts a PostgreSQL 15 of its own. */
export const POSTGRES = { programs: [`${BIN}/postgres`, `${BIN}/initdb`], packages: "postgresql-15" };

/** A real PostgreSQL 15 that may be stopped and started; the other suites' cluster goes on. */
export interface Postgres {
  readonly server: ServerProcess;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Starts PostgreSQL 15 on loopback. */
export async function startPostgres(): Promise<Postgres> {
  const [user, password, database] = ["quiesce", "p@ss word", "postgres"];
  const server = await startServer({
    name: "postgres",
    user: "postgres",
    prepare: async (place) => {
      const file = await place.write("password", `${password}\n`);
      const auth = ["--auth=scram-sha-256", `--username=${user}`, `--pwfile=${file}`];
      place.run(`${BIN}/initdb`, [`--pgdata=${place.folder}/data`, ...auth, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
    },
    command: ({ folder, port }) => ({
      program: `${BIN}/postgres`,
      args: [
        "-D",
        `${folder}/data`,
        "-p",
        String(port),
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "fsync=off",
      ],
    }),
    // It listens before it serves.
    ready: async ({ port }) => {
      const sql = postgres({ host: "127.0.0.1", port, user, password, database, max: 1 });
      return sql`select 1`.then(
        () => sql.end().then(() => true),
        () => sql.end({ timeout: 0 }).then(() => false),
      );
    },
  });
  return { server, user, password, database };
}
