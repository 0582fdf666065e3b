import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What `postmaster.pid` says. PostgreSQL's own lock file: it is read here, and never written or deleted. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** Lines 1 to 3 (pid, data directory, start time): they identify one start of the server. */
  readonly identity: string;
  readonly ready: boolean;
}

/** Answers undefined when there is no such file, or when it is only half written. */
export async function readPostmasterFile(clusterDir: string): Promise<PostmasterFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(clusterDir, "postmaster.pid"), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const lines = text.split("\n");
  const pid = Number.parseInt(lines[0] ?? "", 10);
  if (!Number.isInteger(pid) || lines.length < 3) return undefined;
  return {
    // A standalone backend writes its pid negated.
    pid: Math.abs(pid),
    port: Number.parseInt(lines[3] ?? "", 10),
    identity: lines.slice(0, 3).join("\n"),
    ready: (lines[7] ?? "").trim() === "ready",
  };
}

/** True while a process with this id exists, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
