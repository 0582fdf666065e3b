import { PostgresBackend } from "@agendajs/postgres-backend";
import { Agenda } from "agenda";
import pg from "pg";
import type { Logger } from "pino";
import { defaultIdleInTransactionTimeoutMs } from "../db/client.js";

/** One wake-up that Agenda gives, on one of the servers that share the database. */
export interface Wake {
  readonly name: string;
  readonly everyMs: number;
  wake(): Promise<void>;
}

/** Agenda looks for due wake-ups this often. */
const processEveryMs = 250;
/** lockLimit 0 livelocks on a backlog; twenty is more than all our fixed names. */
const maxConcurrentWakes = 20;
/** A wake-up whose server died is given to another after this. */
const lockLifetimeMs = 10_000;
const longLockLifetimeMs = 60_000;
const drainTimeoutMs = 3_000;
/** A frozen server must not keep the row of a wake-up from the others. */
const sessionOptions = `-c timezone=UTC -c idle_in_transaction_session_timeout=${defaultIdleInTransactionTimeoutMs}`;

/**
 * Agenda's part: it wakes, and nothing else. Its table holds a row for each fixed name, rebuilt at boot; every duty behind a name is idempotent
 * and looks at our own tables, so a wake-up that is lost, late or doubled changes nothing.
 */
export class AgendaWakes {
  readonly #pool: pg.Pool;
  readonly #wakes: readonly Wake[];
  readonly #log: Logger;
  #agenda: Agenda | null = null;

  constructor(options: { readonly url: string; readonly wakes: readonly Wake[]; readonly log: Logger }) {
    this.#pool = new pg.Pool({ connectionString: options.url, max: 4, application_name: "quiesce-agenda", options: sessionOptions });
    // Without a listener a connection that the server closes would end the process.
    this.#pool.on("error", (error) => options.log.warn({ err: error }, "Agenda's connection to the database was lost; it is made again."));
    this.#wakes = options.wakes;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    // Agenda does not wait for its database by itself.
    await this.#pool.query("select 1");
    const agenda = new Agenda({
      backend: new PostgresBackend({ pool: this.#pool, tableName: "agenda_job", ensureSchema: false, disableNotifications: true }),
      processEvery: processEveryMs,
      maxConcurrency: maxConcurrentWakes,
      lockLimit: maxConcurrentWakes,
      defaultLockLifetime: lockLifetimeMs,
      logging: false,
    });
    agenda.on("error", (error) => this.#log.warn({ err: error }, "Agenda reported an error; every duty also wakes by itself."));
    for (const wake of this.#wakes) {
      agenda.define(wake.name, () => wake.wake(), {
        concurrency: 1,
        lockLimit: 1,
        lockLifetime: wake.everyMs > 5_000 ? longLockLifetimeMs : lockLifetimeMs,
      });
    }
    await agenda.ready;
    await agenda.start();
    // Intervals in milliseconds: human intervals drift.
    for (const wake of this.#wakes) await agenda.every(wake.everyMs, wake.name);
    this.#agenda = agenda;
  }

  async stop(): Promise<void> {
    if (this.#agenda !== null) await this.#agenda.drain({ timeout: drainTimeoutMs, closeConnection: false });
    this.#agenda = null;
    await this.#pool.end();
  }
}
