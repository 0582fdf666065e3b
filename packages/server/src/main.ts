import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { firstPartyConnectors } from "@quiesce/connectors";
import { localAdminLink, signInAddress } from "./access/sign-in-links.js";
import { type App, createApp } from "./app.js";
import { type Config, readConfig } from "./config.js";
import { startEmbeddedPostgres } from "./db/embedded/start-embedded-postgres.js";
import { loggedMessage } from "./log.js";

/** A running server, for whoever started it: npm start, or the command line. */
export interface RunningServer {
  /** Resolves with the exit code when the server has ended, whatever ended it. */
  readonly stopped: Promise<number>;
  stop(reason: string): Promise<void>;
  readonly url: string;
  /** postgres://… with the password: never for logs. */
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Whether the database is the embedded one. */
  readonly embedded: boolean;
  /** The first admin token when this start made it, else null. */
  readonly firstToken: string | null;
  /** A link that signs a browser in as the local admin, once, when this start made one, else null. */
  readonly signInLink: string | null;
  /** Makes such a link at a later start, for whoever sees this machine's terminal; null without a local admin who may come in, or without the role api. */
  newSignInLink(): Promise<string | null>;
}

/** The composition root: reads the settings, starts a database if none is given, and the server with the connectors that come with it. */
export async function runServer(options: { readonly argv: readonly string[] }): Promise<RunningServer> {
  refuseUnknown(options.argv);
  const config = readConfig();
  const say = (line: string) => console.log(line);
  const postgres =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, "postgres"), durable: true, log: say })
      : null;
  const databaseUrl = config.databaseUrl ?? postgres?.url ?? "";
  let app: App;
  try {
    app = await createApp({ config, databaseUrl, connectors: firstPartyConnectors });
  } catch (error) {
    await postgres?.stop();
    throw error;
  }
  const { promise: stopped, resolve: resolveStopped } = withResolvers();
  let stopping: Promise<void> | null = null;
  const stop = (reason: string, exitCode = 0): Promise<void> => {
    stopping ??= (async () => {
      say(`Stopping (${reason}) …`);
      await app.stop();
      await postgres?.stop();
      say("Stopped. What was in flight is taken up at the next start.");
      resolveStopped(exitCode);
    })();
    return stopping;
  };
  void postgres?.exited.then(() => stop("PostgreSQL has ended", 1));
  process.on("uncaughtException", (error) => {
    if (isDeadSocketWrite(error)) return;
    console.error(`A fault of Quiesce's own ended the server: ${loggedMessage(error)}. Please report it.`);
    void stop("a fault", 1);
  });
  if (app.firstToken !== null) await keepToken(config, app.firstToken, say);
  if (app.signInLink !== null) say(`A browser signs in with this link, once, within 15 minutes: ${app.signInLink}`);
  return {
    stopped,
    stop: (reason) => stop(reason),
    url: app.url,
    databaseUrl,
    dataDir: config.dataDir,
    embedded: postgres !== null,
    firstToken: app.firstToken,
    signInLink: app.signInLink,
    newSignInLink: async () => {
      const link = app.url === "" ? null : await localAdminLink(app.database);
      return link === null ? null : signInAddress(config.signIn.publicUrl ?? app.url, link.secret);
    },
  };
}

/** The token is shown once, and kept in a file of the operator's own for the command line on this machine. */
async function keepToken(config: Config, token: string, say: (line: string) => void): Promise<void> {
  await mkdir(config.dataDir, { recursive: true });
  const file = join(config.dataDir, "admin-token");
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  say(`The first admin token, shown this once: ${token}`);
  say(`It is kept in ${file} for the command line; delete that file when you have your own tokens.`);
}

/**
 * postgres.js 3.4.9 writes a rollback to a connection that the server has just ended, in a callback where nobody can catch it (its issue 1208).
 * The statement it belonged to has failed already and is tried again; the process has no reason to end.
 */
function isDeadSocketWrite(error: Error): boolean {
  return error instanceof TypeError && error.message.includes("reading 'write'") && (error.stack ?? "").includes("/postgres/");
}

function refuseUnknown(argv: readonly string[]): void {
  const unknown = argv.find((word) => word !== "--no-example");
  if (unknown !== undefined)
    throw new Error(`There is no option "${unknown}". The server is set up by environment variables; see docs/operations.md.`);
}

function withResolvers(): { readonly promise: Promise<number>; readonly resolve: (code: number) => void } {
  let settle: (code: number) => void = () => undefined;
  const promise = new Promise<number>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: settle };
}
