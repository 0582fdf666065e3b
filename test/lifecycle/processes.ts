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

const listProcesses = async (): Promise<readonly ProcessEntry[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.filter((pid) => pid !== process.pid).map(readEntry));
  return entries.filter((entry) => entry !== undefined);
};

/** Every living process whose command line holds `text`, this one excepted. */
export async function findProcesses(text: string): Promise<readonly ProcessEntry[]> {
  return (await listProcesses()).filter(({ command }) => command.includes(text));
}

/** A process, its children, their children and so on. */
export async function findFamily(ancestor: number): Promise<readonly ProcessEntry[]> {
  const all = await listProcesses();
  const family = all.filter(({ pid }) => pid === ancestor);
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member.pid));
  return family;
}

/**
 * Waits until no process's command line holds `text` and none of `family` lives (zombies do not count: whoever should
 * reap them may be this test). Answers those that are left at the deadline.
 */
export async function waitUntilNone(
  text: string,
  timeoutMs: number,
  family: readonly ProcessEntry[] = [],
): Promise<readonly ProcessEntry[]> {
  const deadline = performance.now() + timeoutMs;
  const known = new Set(family.map(({ pid }) => pid));
  for (;;) {
    const left = (await listProcesses()).filter(({ pid, command }) => command !== "" && (known.has(pid) || command.includes(text)));
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(50);
  }
}
