import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import type { CatalogContext } from "../../packages/server/src/catalog/catalog-context.js";
import { createWindow, updateWindow } from "../../packages/server/src/windows/commands.js";
import { pause } from "../../packages/server/src/windows/hold-commands.js";
import { claim, figures, openScene, queuedRuns, tagged, windowOn } from "./scene.js";
import type { Actor, Stage } from "./stage.js";

let stage: Stage;
let planner: Actor;
let tagger: Actor;

beforeEach(async () => {
  stage = await openScene();
  planner = stage.actor("the planner");
  tagger = stage.actor("the tagger");
  // Whatever joins the tag `one` leaves this one, so that each of the two commands has something to change by itself.
  await pause(planner.context, { scope: { tags: ["left"] }, until: null, reason: "race" });
  await applyWorkspace(tagger.context, tagged("i2", ["left"]));
});

afterEach(() => stage.close());

const one = { tags: ["one"] };
const onTag: readonly {
  readonly name: string;
  readonly before?: () => Promise<unknown>;
  readonly plan: (context: CatalogContext) => Promise<unknown>;
}[] = [
  { name: "a pause of the tag", plan: (context) => pause(context, { scope: one, until: null, reason: "race" }) },
  { name: "a new window on the tag", plan: (context) => createWindow(context, windowOn(one)) },
  {
    name: "a window that moves to the tag",
    before: () => createWindow(planner.context, windowOn({ integrations: ["i6"] }, 1)),
    plan: (context) => updateWindow(context, windowOn(one)),
  },
];

describe("a hold on a tag and an integration that gains the tag at the same moment", () => {
  const orders = onTag.flatMap((way) => [
    { ...way, first: "planner" as const },
    { ...way, first: "tagger" as const },
  ]);

  it.each(orders)("$name, the $first being first: the integration is held once both are answered", async ({ before, plan, first }) => {
    await before?.();
    const runs = await queuedRuns(stage, "i2");
    const acts = {
      planner: () => stage.begin(planner, plan),
      tagger: () => stage.begin(tagger, (context) => applyWorkspace(context, tagged("i2", ["one"]))),
    };
    await stage.draw("commands");
    const earlier = acts[first]();
    expect(await stage.look(earlier)).toBe("waits for the curtain");
    const later = acts[first === "planner" ? "tagger" : "planner"]();
    const looked = await stage.look(later);
    await stage.lift("commands");
    await earlier.answer;
    await later.answer;
    expect(figures(await claim(stage.actor("the claim"), runs))).toEqual({ started: 0, held: 1 });
    expect(looked).toBe(`waits for the ${first}`);
  });
});
