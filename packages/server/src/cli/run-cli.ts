import { Command, CommanderError } from "commander";
import { reportOf } from "./cli-error.js";
import type { Cli, CliClock, Input, Output } from "./cli.js";
import { findConnection } from "./connection.js";
import type { CliEnvironment } from "./environment.js";
import { exitCodes } from "./exit-codes.js";
import { graphqlClient } from "./graphql-client.js";
import { buildProgram } from "./program.js";

/** What surrounds the command line: a process, or a test's memory. */
export interface CliSurroundings {
  readonly environment: CliEnvironment;
  readonly out: Output;
  readonly err: Output;
  readonly input: Input;
  readonly clock: CliClock;
  readonly version: string;
}

/** Runs one command line (without node and the script) and answers the exit code. Never throws. */
export async function runCli(argv: readonly string[], surroundings: CliSurroundings): Promise<number> {
  const connection = () => findConnection(program.opts<{ readonly url?: string; readonly token?: string }>(), surroundings.environment);
  const cli: Cli = { ...surroundings, exitCode: exitCodes.ok, connection, api: async () => graphqlClient(await connection()) };
  const program = buildProgram(cli);
  speakThrough(program, cli);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return cli.exitCode;
  } catch (error) {
    // Commander has said what was wrong; --help and --version end this way as well.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const report = reportOf(error, { debug: surroundings.environment.debug });
    if (report.text !== "") surroundings.err.write(`${surroundings.err.styles.red(report.text)}\n`);
    return report.exitCode;
  }
}

/** Commander writes through our outputs and never ends the process; each command takes these settings for itself. */
function speakThrough(command: Command, cli: Cli): void {
  command.exitOverride();
  command.showHelpAfterError(`(quiesce ${command.name() === "quiesce" ? "" : `${fullName(command)} `}--help shows what is possible)`);
  command.configureOutput({
    writeOut: (text) => cli.out.write(text),
    writeErr: (text) => cli.err.write(text),
    getOutHelpWidth: () => cli.out.columns() ?? 100,
    getErrHelpWidth: () => cli.err.columns() ?? 100,
    outputError: (text, write) => write(cli.err.styles.red(text.replace(/^error: /, "quiesce: "))),
  });
  for (const child of command.commands) speakThrough(child, cli);
}

function fullName(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${fullName(parent)} ${command.name()}`;
}
