import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface RaceSettings {
  readonly runMs: number;
  readonly maxConcurrentRuns: number;
  readonly lease: { readonly leaseMs: number; readonly marginMs: number; readonly renewEveryMs: number };
}

/** A run that a server says it began: in its own words, beside what the tables say. */
export interface Begun {
  readonly server: string;
  readonly runId: string;
  readonly attempt: number;
}

/** A server in a process of its own, which can be killed without a word. */
export class ServerProcess {
  readonly name: string;
  readonly begun: Begun[] = [];
  readonly errors: string[] = [];
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
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "started") return resolve();
        const [runId, attempt] = line.split(" ");
        if (runId !== undefined) this.begun.push({ server: name, runId, attempt: Number(attempt) });
      });
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
}
