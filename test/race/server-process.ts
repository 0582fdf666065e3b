import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface RaceSettings {
  readonly runMs: number;
  readonly maxConcurrentRuns: number;
  readonly lease: { readonly leaseMs: number; readonly marginMs: number; readonly renewEveryMs: number };
}

/** An attempt that a server says it made: in its own words, beside what the tables say. Times are microseconds of the machine's clock. */
export interface Attempt {
  readonly server: string;
  readonly runId: string;
  readonly attempt: number;
  /** null for a run without a job. */
  readonly job: string | null;
  readonly begunAt: number;
  /** null while it runs, and for ever when its server was killed. */
  endedAt: number | null;
}

/** A server in a process of its own, which can be killed without a word. */
export class ServerProcess {
  readonly name: string;
  readonly attempts: Attempt[] = [];
  readonly errors: string[] = [];
  readonly #underWay = new Map<string, Attempt>();
  readonly #child: ChildProcess;
  readonly #started: Promise<void>;
  readonly #exited: Promise<void>;

  constructor(url: string, name: string, settings: RaceSettings) {
    this.name = name;
    const script = fileURLToPath(new URL("race-server.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, url, name, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", () => resolve()));
    this.#started = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => (line === "started" ? resolve() : this.#hear(line)));
      createInterface({ input: child.stderr }).on("line", (line) => this.errors.push(line));
      child.once("exit", () => reject(new Error(`The server ${name} ended at its start:\n${this.errors.join("\n")}`)));
    });
  }

  ready(): Promise<void> {
    return this.#started;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #hear(line: string): void {
    const [word, runId = "", number = "", job = "-", at = ""] = line.split(" ");
    const name = `${runId}/${number}`;
    if (word === "begun") {
      const attempt = {
        server: this.name,
        runId,
        attempt: Number(number),
        job: job === "-" ? null : job,
        begunAt: Number(at),
        endedAt: null,
      };
      this.attempts.push(attempt);
      this.#underWay.set(name, attempt);
      return;
    }
    const ended = this.#underWay.get(name);
    if (word !== "ended" || ended === undefined) throw new Error(`The server ${this.name} said "${line}".`);
    ended.endedAt = Number(at);
  }
}
