import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import { runNow } from "../../packages/server/src/runs/commands.js";
import { advanceWindows } from "../../packages/server/src/windows/advance.js";
import { cancelWindow, createWindow, updateWindow } from "../../packages/server/src/windows/commands.js";
import { pause, resume, setMode } from "../../packages/server/src/windows/hold-commands.js";
import { endWindowEarly } from "../../packages/server/src/windows/occurrence-commands.js";
import { claim, figures, finish, inFlight, minute, openScene, opensAt, queuedRuns, refused, tagged, windowOn } from "./scene.js";
import type { Actor, Stage } from "./stage.js";

let stage: Stage;
let writer: Actor;
let claimer: Actor;

beforeEach(async () => {
  stage = await openScene();
  writer = stage.actor("the writer");
  claimer = stage.actor("the claim");
});

afterEach(() => stage.close());

/** One way to change what is held: what was before, and the command. */
interface Way {
  readonly name: string;
  readonly before?: () => Promise<unknown>;
  readonly command: () => Promise<unknown>;
}

const reason = "race";
const one = { tags: ["one"] };
const many = { tags: ["many"] };
const context = () => writer.context;
const pauseScope = (scope: { readonly tags: string[] }, until: number | null = null) => pause(context(), { scope, until, reason });
/** An attempt whose credentials will be refused. */
let failing: Awaited<ReturnType<typeof claim>>["claimed"] = [];

const opening: readonly Way[] = [
  { name: "a pause", command: () => pauseScope(one) },
  { name: "a pause of many integrations", command: () => pauseScope(many) },
  { name: "a new window", command: () => createWindow(context(), windowOn(one)) },
  { name: "a new window over many integrations", command: () => createWindow(context(), windowOn(many)) },
  {
    name: "a window that is moved",
    before: () => createWindow(context(), windowOn(one, 10)),
    command: () => updateWindow(context(), windowOn(one)),
  },
  {
    name: "a window whose scope is widened",
    before: () => createWindow(context(), windowOn({ integrations: ["i6"] }, 1)),
    command: () => updateWindow(context(), { ...windowOn(many), key: "patch" }),
  },
  {
    name: "a window in an applied workspace",
    command: () =>
      applyWorkspace(context(), {
        quiesce: 1,
        windows: [
          { key: "patch", title: "Patch", start: "2026-03-02T10:00", duration: "PT30M", timeZone: "UTC", scope: one, owner: "erp", reason },
        ],
      }),
  },
  {
    name: "a tag that is held already",
    before: () => pauseScope({ tags: ["held"] }),
    command: () => applyWorkspace(context(), tagged("i1", ["held"])),
  },
  {
    name: "the end of observing",
    before: async () => {
      await pauseScope(one);
      await setMode(context(), { mode: "observe", reason });
    },
    command: () => setMode(context(), { mode: "enforce", reason }),
  },
  {
    name: "an attempt whose credentials are refused",
    before: async () => {
      await runNow(context(), { job: "by-hand", reason });
      const byHand = (await queuedRuns(stage, "i1")).filter((run) => run.job === "by-hand");
      failing = (await claim(writer, byHand)).claimed;
    },
    command: () => finish(writer, failing, refused),
  },
];

describe("whoever opens a hold is answered when no claim can start a run behind it any more", () => {
  it.each(opening)("$name", async ({ before, command }) => {
    await before?.();
    const runs = (await queuedRuns(stage, "i1")).filter((run) => run.job === "j1");
    await stage.draw("claims");
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(claiming)).toBe("waits for the curtain");
    const writing = stage.begin(writer, async () => {
      await command();
      return inFlight(writer, runs);
    });
    const looked = await stage.look(writing);
    await stage.lift("claims");
    expect(figures(await claiming.answer)).toEqual({ started: 1, held: 0 });
    // Whoever asks then whether anything is in flight must be told of it.
    expect({ looked, seenInFlight: await writing.answer }).toEqual({ looked: "waits for the claim", seenInFlight: 1 });
  });
});

const ending: readonly Way[] = [
  { name: "a resume", before: () => pauseScope(one), command: () => resume(context(), { scope: one, reason }) },
  {
    name: "a window that is ended early",
    before: () => createWindow(context(), windowOn(one)),
    command: () => endWindowEarly(context(), { key: "patch", reason }),
  },
  {
    name: "a window that is cancelled",
    before: () => createWindow(context(), windowOn(many)),
    command: () => cancelWindow(context(), { key: "patch", reason }),
  },
  {
    name: "a tag that is taken away",
    before: () => pauseScope(one),
    command: () => applyWorkspace(context(), tagged("i1", ["many"])),
  },
  {
    name: "the beginning of observing",
    before: () => pauseScope(one),
    command: () => setMode(context(), { mode: "observe", reason }),
  },
  {
    name: "a pause that reaches its end",
    before: () => pauseScope(one, opensAt + minute),
    command: async () => {
      await stage.time.set(opensAt + minute);
      await advanceWindows(context());
    },
  },
];

describe("whoever ends a hold is answered when no claim can hold a run by it any more, so that the sweep finds them all", () => {
  it.each(ending)("$name", async ({ before, command }) => {
    await before?.();
    const runs = await queuedRuns(stage, "i1");
    await stage.draw("claims");
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(claiming)).toBe("waits for the curtain");
    const writing = stage.begin(writer, async () => {
      await command();
      const [row] = await writer.database.sql<{ n: number }[]>`select count(*)::integer as n from run where state = 'held'`;
      return row?.n;
    });
    const looked = await stage.look(writing);
    await stage.lift("claims");
    expect(figures(await claiming.answer)).toEqual({ started: 0, held: 1 });
    expect({ looked, seenHeld: await writing.answer }).toEqual({ looked: "waits for the claim", seenHeld: 1 });
  });
});
