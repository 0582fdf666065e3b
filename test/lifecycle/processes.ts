import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** One process of Linux's /proc. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const readEntry = async (pid: number): Promise<ProcessEntry | undefined> => {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name before ") " may hold anything; the state and the parent follow it. A zombie has no command line.
    return { pid, parent: Number(stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[1]), command };
  } catch {
    // It ended while it was read.
    return undefined;
  }
};

/** Every living process whose command line holds `text`, this one excepted. */
export async function findProcesses(text: string): Promise<readonly ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.filter((pid) => pid !== process.pid).map(readEntry));
  return entries.filter((entry) => entry !== undefined).filter(({ command }) => command.includes(text));
}

/** Waits until no process's command line holds `text`; answers those that are left at the deadline. */
export async function waitUntilNone(text: string, timeoutMs: number): Promise<readonly ProcessEntry[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = await findProcesses(text);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(50);
  }
}
