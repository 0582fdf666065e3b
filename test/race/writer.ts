import { setTimeout as sleep } from "node:timers/promises";
import { DomainError, type WindowScope } from "@quiesce/core";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import { createWindow } from "../../packages/server/src/windows/commands.js";
import { pause, resume } from "../../packages/server/src/windows/hold-commands.js";
import { endWindowEarly } from "../../packages/server/src/windows/occurrence-commands.js";
import { type Course, integrationCount, tagOf, tags } from "./course.js";

/** From when on (acknowledged) until when an integration was held for certain, by the database's clock. */
export interface Covered {
  readonly integration: string;
  readonly from: number;
  to: number;
  readonly by: string;
  /** What was committed when the hold was acknowledged; null for one that was acknowledged before it began. */
  readonly snapshot: string | null;
}

interface Promised {
  readonly by: string;
  readonly scope: WindowScope;
  readonly begins: number;
}

const any = <T>(list: readonly T[]): T => {
  const one = list[Math.floor(Math.random() * list.length)];
  if (one === undefined) throw new Error("There is nothing to choose from.");
  return one;
};

/** Changes what is held while runs fall due, by the product's commands alone, and writes down what was promised when. */
export class Writer {
  readonly covered: Covered[] = [];
  readonly #course: Course;
  readonly #keys = Array.from({ length: integrationCount }, (_, n) => `i${n + 1}`);
  /** Which have a second tag just now; one at a time. */
  readonly #tagged = new Set<string>();
  acts = 0;
  retags = 0;

  constructor(course: Course) {
    this.#course = course;
  }

  async act(): Promise<void> {
    this.acts += 1;
    const scope = Math.random() < 0.5 ? { integrations: [any(this.#keys), any(this.#keys)] } : { tags: [any(tags)] };
    await (Math.random() < 0.5 ? this.#pauseAndResume(scope) : this.#window(scope));
  }

  async #pauseAndResume(scope: WindowScope): Promise<void> {
    const { holdId } = await pause(this.#course.context, { scope, until: null, reason: "race" });
    const opened = await this.#promised({ by: `pause ${holdId}`, scope, begins: Number.NEGATIVE_INFINITY });
    await sleep(5 + Math.random() * 25);
    opened.push(...(await this.#joinAndLeave({ by: `pause ${holdId}`, scope, begins: Number.NEGATIVE_INFINITY })));
    await this.#close(opened);
    await resume(this.#course.context, { holdId, reason: "race" });
  }

  /** A window that begins with the next second, saved just before; or that has begun already when it is saved. */
  async #window(scope: WindowScope): Promise<void> {
    const begins = Math.floor((await this.#course.now()) / 1_000) * 1_000 + (Math.random() < 0.6 ? 1_000 : 0);
    const local = (ms: number) => new Date(ms).toISOString().slice(0, 19);
    const key = `w${this.acts}-${Math.floor(Math.random() * 1e9)}`;
    const series = { start: local(begins), end: local(begins + 2_000), timeZone: "UTC" };
    await createWindow(this.#course.context, { key, title: key, scope, owner: "race", reason: "race", series });
    const opened = await this.#promised({ by: key, scope, begins });
    opened.push(...(await this.#joinAndLeave({ by: key, scope, begins })));
    for (const one of opened) one.to = Math.min(one.to, begins + 2_000);
    await sleep(Math.max(0, begins - (await this.#course.now())) + Math.random() * 300);
    if (Math.random() < 0.5) return;
    await this.#close(opened);
    await endWindowEarly(this.#course.context, { key, reason: "race" }).catch((error: unknown) => {
      // On a busy machine it may have reached its own end first.
      if (!(error instanceof DomainError)) throw error;
    });
  }

  /** An integration gains the tag that is held, as an applied document says: from the answer on it is held as well. */
  async #joinAndLeave({ by, scope, begins }: Promised): Promise<readonly Covered[]> {
    const [tag] = scope.tags ?? [];
    const key = any(this.#keys);
    const own = tagOf(Number(key.slice(1)));
    if (tag === undefined || own === tag || this.#tagged.has(key)) return [];
    this.#tagged.add(key);
    await this.#retag(key, [own, tag]);
    const opened = await this.#promised({ by: `${by} by a new tag`, scope: { integrations: [key] }, begins });
    await sleep(Math.max(0, begins - (await this.#course.now())) + 10);
    await this.#close(opened);
    await this.#retag(key, [own]);
    this.#tagged.delete(key);
    return opened;
  }

  async #retag(key: string, wanted: readonly string[]): Promise<void> {
    this.retags += 1;
    await applyWorkspace(this.#course.context, { quiesce: 1, integrations: [{ key, tags: wanted }] });
  }

  /** The command has just been answered: from this moment, or from the window's begin, nothing of the scope may start. */
  async #promised({ by, scope, begins }: Promised): Promise<Covered[]> {
    const [row] = await this.#course.database.sql<{ at: number; snapshot: string }[]>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as at, pg_current_snapshot()::text as snapshot`;
    if (row === undefined) throw new Error("The clock did not answer.");
    const { at, snapshot } = row;
    const keys = this.#keys.filter(
      (key) => scope.integrations?.includes(key) === true || scope.tags?.includes(tagOf(Number(key.slice(1)))) === true,
    );
    const opened = keys.map((integration) => ({
      integration,
      from: Math.max(at, begins),
      to: Number.POSITIVE_INFINITY,
      by,
      snapshot: at >= begins ? snapshot : null,
    }));
    this.covered.push(...opened);
    return opened;
  }

  /** The promise ends here, before the command that ends it is sent. */
  async #close(opened: readonly Covered[]): Promise<void> {
    const ends = await this.#course.now();
    for (const one of opened) one.to = Math.min(one.to, ends);
  }
}
