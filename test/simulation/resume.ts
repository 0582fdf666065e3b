import { DomainError, type ResumePolicyInput } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import type { ReadinessProbe } from "../../packages/server/src/windows/check-readiness.js";
import { resumeWindow } from "../../packages/server/src/windows/resume-window.js";
import type { Random } from "./random.js";
import type { Story } from "./story.js";
import { minute } from "./world.js";

/** How a window of the story resumes: often asking its systems first, and with first runs ahead of the rest. */
export function makeResume(random: Random): ResumePolicyInput {
  return {
    readiness: { check: random.chance(0.6), maxWaitMinutes: random.pick([1, 30, 600]) },
    canaries: random.pick([0, 1, 1, 2]),
    failureBound: random.pick([0, 0, 0.5, 1]),
  };
}

/** What an operator says for one resume: seldom anything. */
export function makeCatchUp(random: Random): { readonly catchUp?: "skip" | "coalesce" | "all"; readonly confirmAll?: true } {
  return random.chance(0.3) ? { catchUp: random.pick(["skip", "coalesce", "all"] as const), confirmAll: true } : {};
}

/** Systems come back and go again: each is not ready for a third of the time, by the story's clock alone, whoever asks. */
export const isReadyAt = (endpoint: string, now: number): boolean =>
  (Math.floor(now / (7 * minute)) + endpoint.length + (endpoint.codePointAt(endpoint.length - 1) ?? 0)) % 3 !== 0;

export function storyProbe(story: Story): ReadinessProbe {
  return {
    isReady: async ({ endpoint }) => {
      const ready = isReadyAt(endpoint, story.now);
      return { ready, why: ready ? null : "still starting" };
    },
  };
}

/** An operator resumes a window that waits, or is told that none of it does. */
export async function resumeSome(story: Story, context: CommandContext): Promise<void> {
  const { random } = story;
  const rows = await story.database.sql<{ key: string }[]>`
    select w.key from occurrence as o join maintenance_window as w on w.id = o.window_id
    where w.cancelled_at is null and o.closed_at is null and (o.verifying_at is not null or o.released_at is not null) order by w.key limit 5`;
  if (rows.length === 0) return;
  const { key } = random.pick(rows);
  const skipReadiness = random.chance(0.5);
  try {
    const { released } = await resumeWindow(context, { key, skipReadiness, reason: "because", ...makeCatchUp(random) });
    story.note(`resumeWindow ${key}: ${released ? "released" : "asked again"}`);
  } catch (error) {
    // It went on by itself meanwhile.
    if (!(error instanceof DomainError) || error.code !== "QSC_WINDOW_NOT_WAITING") throw error;
  }
}
