import { spawn } from "node:child_process";
import type { ServerAccount } from "./server-account.js";

export interface ProgramResult {
  readonly status: number | null;
  readonly output: string;
}

/**
 * PostgreSQL's programs get an environment of their own: PGDATA, PGPORT, LD_LIBRARY_PATH, TZ or a locale of the caller
 * must not change what they do.
 */
export const PROGRAM_ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin",
  LC_ALL: "C",
} as const;

/** Node's spawn options that put a program under `account` (or leave it with the current user). */
export const accountOptions = (account: ServerAccount | undefined): { uid?: number; gid?: number } =>
  account === undefined ? {} : { uid: account.uid, gid: account.gid };

/** Runs a program to its end. A program that cannot be started answers status null with the reason as output. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly account: ServerAccount | undefined; readonly cwd: string },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: PROGRAM_ENVIRONMENT,
      stdio: ["ignore", "pipe", "pipe"],
      ...accountOptions(options.account),
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", (error) => {
      resolve({ status: null, output: error.message });
    });
    child.once("close", (status) => {
      resolve({ status, output: output.trim() });
    });
  });
}
