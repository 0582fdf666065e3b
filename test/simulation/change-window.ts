import type { CommandContext } from "../../packages/server/src/command.js";
import { cancelWindow, updateWindow } from "../../packages/server/src/windows/commands.js";
import { endWindowEarly, extendWindow } from "../../packages/server/src/windows/occurrence-commands.js";
import { makeDrain } from "./drain.js";
import { planOf } from "./holds-model.js";
import { makeCatchUp, makeResume } from "./resume.js";
import type { Story } from "./story.js";
import { hour, makeScope, makeSeries, minute } from "./world.js";

const reason = "because";

/** Somebody changes, extends, ends or cancels a window. */
export async function changeWindow(
  story: Story,
  context: CommandContext,
  command: "update" | "extend" | "endEarly" | "cancelWindow" | "cancelOccurrence",
): Promise<void> {
  const { random, world, holds, now } = story;
  const live = [...holds.windows].filter(([, window]) => window.live);
  if (live.length === 0) return;
  const open = holds.openWindows(now);
  // What is open is what people end or extend; now and then they try it with another.
  const meant = (command === "extend" || command === "endEarly") && open.length > 0 && random.chance(0.85) ? random.pick(open) : null;
  const [key, window] = live.find(([name]) => name === meant?.key) ?? random.pick(live);
  story.note(`${command} ${key}`);
  switch (command) {
    case "update": {
      const patch = {
        ...(random.chance(0.6) ? { series: makeSeries(random, now) } : {}),
        ...(random.chance(0.5) ? { scope: makeScope(random, world) } : {}),
        ...(random.chance(0.2) ? { mode: random.pick(["enforce", "observe"] as const) } : {}),
        ...(random.chance(0.3) ? { drain: makeDrain(random) } : {}),
        ...(random.chance(0.3) ? { resume: makeResume(random) } : {}),
      };
      story.note(JSON.stringify(patch));
      await updateWindow(context, { key, ...patch, confirmLong: true });
      holds.saveWindow(key, { ...planOf(window), ...patch }, now);
      return;
    }
    case "extend": {
      const until = (meant?.end ?? now) + random.pick([20 * minute, 2 * hour, 12 * hour]);
      const { localStart, endsAt } = await extendWindow(context, { key, until, reason });
      if (endsAt !== until) story.broken(`extending ${key} to ${until} answered ${endsAt}`);
      holds.moveEnd(key, localStart, until);
      return;
    }
    case "endEarly": {
      const { localStart } = await endWindowEarly(context, { key, reason, ...makeCatchUp(random) });
      holds.endEarly(key, localStart, now);
      return;
    }
    case "cancelWindow":
      await cancelWindow(context, { key, reason });
      holds.cancelWindow(key, now);
      return;
    case "cancelOccurrence": {
      const ahead = [...window.occurrences.values()].filter((one) => one.start > now).slice(0, 4);
      if (ahead.length === 0) return;
      const { localStart } = random.pick(ahead);
      await cancelWindow(context, { key, localStart, reason });
      holds.cancelOccurrence(key, localStart);
      return;
    }
  }
}
