import { join } from "node:path";
import type { CliEnvironment } from "./environment.js";
import type { GraphqlClient } from "./graphql-client.js";
import type { Styles } from "./output/styles.js";

/** Something that text is written to: stdout, stderr, or a test's memory. */
export interface Output {
  readonly isTerminal: boolean;
  readonly styles: Styles;
  /** Cells a line; undefined where lines are not cut. */
  readonly columns: () => number | undefined;
  readonly rows: () => number | undefined;
  readonly write: (text: string) => void;
}

/** Where answers and piped documents come from. */
export interface Input {
  readonly isTerminal: boolean;
  /** Everything up to its end. */
  readonly readAll: () => Promise<string>;
  /** One line that a person types. */
  readonly ask: (question: string) => Promise<string>;
}

/** The process's times, as clock.ts gives them. */
export interface CliClock {
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
}

/** Where the server is and how to show oneself there. */
export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
  /** Where the token was found, in words. */
  readonly tokenSource: string;
}

/** The world around a command. */
export interface Cli {
  readonly environment: CliEnvironment;
  readonly out: Output;
  readonly err: Output;
  readonly input: Input;
  readonly clock: CliClock;
  readonly version: string;
  /** What the global options and the environment say about the server. */
  readonly connection: () => Promise<Connection>;
  readonly api: () => Promise<GraphqlClient>;
  /** Set by a command whose answer is an exit code other than 0. */
  exitCode: number;
}

/** Writes lines to standard output. */
export function print(cli: Cli, ...lines: readonly string[]): void {
  cli.out.write(`${lines.join("\n")}\n`);
}

/** Writes what is not the answer itself, so that a pipe stays clean. */
export function note(cli: Cli, ...lines: readonly string[]): void {
  cli.err.write(`${lines.join("\n")}\n`);
}

/** Writes a value for programs: JSON, indented, one document. */
export function printJson(cli: Cli, value: unknown): void {
  cli.out.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Asks before something that cannot be taken back; only on a terminal, and not with `--yes`. */
export async function confirmed(cli: Cli, question: string, options: { readonly yes?: boolean | undefined }): Promise<boolean> {
  if (options.yes === true || !cli.input.isTerminal || !cli.err.isTerminal) return true;
  const answer = await cli.input.ask(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** The folder of `exec`'s cache unless an option names another. */
export function holdCacheFolder(environment: CliEnvironment): string {
  return join(environment.cacheDir, "holds");
}
