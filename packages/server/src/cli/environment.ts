import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** What the command line reads from its environment, once. */
export interface CliEnvironment {
  /** QUIESCE_URL. */
  readonly url: string | undefined;
  /** QUIESCE_TOKEN. */
  readonly token: string | undefined;
  /** DATABASE_URL, for the commands that work on the database itself: `migrate`, `backup`, `restore`. */
  readonly databaseUrl: string | undefined;
  /** Where a server on this machine may keep its data, in the order of looking. */
  readonly dataFolders: readonly string[];
  /** QUIESCE_MASTER_KEY, for `backup` and `restore`. */
  readonly masterKey: string | undefined;
  /** QUIESCE_BACKUP_PASSPHRASE. */
  readonly backupPassphrase: string | undefined;
  /** Where a server on this machine may have left its first token, in the order of looking. */
  readonly tokenFiles: readonly string[];
  /** Where `exec` keeps the intervals that it falls back on. */
  readonly cacheDir: string;
  /** NO_COLOR and TERM=dumb turn colours off, FORCE_COLOR turns them on also in a pipe. */
  readonly colour: "never" | "always" | "on-terminal";
  /** QUIESCE_DEBUG=1: errors are shown with their stack. */
  readonly debug: boolean;
  /** Everything, for the child of `exec`. */
  readonly all: NodeJS.ProcessEnv;
}

/** A token written by a server that ran as root lies here. */
const SHARED_STATE_FOLDER = "/var/lib/quiesce";
const TOKEN_FILE = "admin-token";

/** The one reader of the environment on the command line's side; the server has config.ts. Empty values count as not given. */
export function readCliEnvironment(environment: NodeJS.ProcessEnv = process.env, workingFolder: string = process.cwd()): CliEnvironment {
  const given = (name: string): string | undefined => (environment[name] === "" ? undefined : environment[name]);
  const dataDir = given("QUIESCE_DATA_DIR");
  // `npm start` keeps its data in the checkout: whoever works in there means that server.
  const folders =
    dataDir === undefined
      ? [...parentsOf(workingFolder).map((folder) => join(folder, ".quiesce")), join(homedir(), ".quiesce"), SHARED_STATE_FOLDER]
      : [dataDir];
  const forced = given("FORCE_COLOR");
  return {
    url: given("QUIESCE_URL"),
    token: given("QUIESCE_TOKEN"),
    databaseUrl: given("DATABASE_URL"),
    dataFolders: [...new Set(folders)],
    masterKey: given("QUIESCE_MASTER_KEY"),
    backupPassphrase: given("QUIESCE_BACKUP_PASSPHRASE"),
    tokenFiles: [...new Set(folders)].map((folder) => join(folder, TOKEN_FILE)),
    cacheDir: join(given("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "quiesce"),
    colour:
      given("NO_COLOR") !== undefined || given("TERM") === "dumb"
        ? "never"
        : forced !== undefined && forced !== "0"
          ? "always"
          : "on-terminal",
    debug: given("QUIESCE_DEBUG") === "1",
    all: environment,
  };
}

/** The folder itself and every one above it. */
function parentsOf(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...parentsOf(parent)];
}
