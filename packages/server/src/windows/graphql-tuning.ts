import type { WindowTuning } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { type TunedWindow, tunedWindow } from "./tune-window.js";

/** Booked against used. */
export function defineTuning(): void {
  const ChangeEnum = capsEnum("WindowLengthChange", "What past occurrences suggest for a window's length.", [
    "shorten",
    "lengthen",
    "keep",
  ]);
  const FiguresRef = builder.objectRef<WindowTuning>("WindowTuningFigures").implement({
    description: "Booked against used over past occurrences; lengths in milliseconds.",
    fields: (t) => ({
      bookedMs: t.exposeFloat("bookedMs", { description: "Booked: the median." }),
      drainMs: t.exposeFloat("drainMs", { nullable: true, description: "From the start until nothing was in flight: the median." }),
      workMs: t.exposeFloat("workMs", { nullable: true, description: "From then to the release: the median." }),
      usedMs: t.exposeFloat("usedMs", { description: "From the start to the release: the median." }),
      usedP95Ms: t.exposeFloat("usedP95Ms", { description: "95 of 100 took at most so long." }),
      unusedMs: t.exposeFloat("unusedMs", { description: "Booked and not used: the median." }),
      overruns: t.exposeInt("overruns", { description: "How many were released later than booked." }),
      longestOverrunMs: t.exposeFloat("longestOverrunMs", { description: "By how much at most." }),
    }),
  });
  const TuningRef = builder.objectRef<TunedWindow>("WindowTuning").implement({
    description: "What past occurrences of a window say about the next.",
    fields: (t) => ({
      occurrences: t.exposeInt("occurrences", { description: "How many held and are over; at most the last 50." }),
      figures: t.field({ type: FiguresRef, nullable: true, description: "null with fewer than three.", resolve: (row) => row.tuning }),
      change: t.expose("change", { type: ChangeEnum, nullable: true, description: "What they suggest; null with fewer than three." }),
      suggestedMs: t.exposeFloat("suggestedMs", { nullable: true, description: "The length that would have covered 95 of 100." }),
      advice: t.exposeStringList("advice", { description: "The same in words." }),
    }),
  });
  builder.queryField("windowTuning", (t) =>
    t.field({
      type: TuningRef,
      authScopes: { can: "windows.read" },
      description: "Compares what a window books with what its past occurrences used.",
      args: { window: t.arg.string({ required: true, description: "The window's key or id." }) },
      resolve: async (_root, { window }, context) =>
        tunedWindow(context.database.db, context.zones, await keyOf(context, "MaintenanceWindow", window)),
    }),
  );
}
