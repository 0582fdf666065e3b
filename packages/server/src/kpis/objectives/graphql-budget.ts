import { type BudgetDay, type BudgetFigures, type BurnVerdict } from "@quiesce/core";
import { readNow } from "../../command.js";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import type { RequestContext } from "../../graphql/request-context.js";
import { evaluateObjective, type ObjectiveStanding } from "./evaluate-objective.js";
import { burnsOf, type ObjectiveRow, type StoredBurn } from "./store.js";

/** Reads minutes and hours of all its integrations. */
const costOfStanding = 50;

interface BurnView {
  readonly verdict: BurnVerdict;
  readonly stored: StoredBurn | null;
}

interface StandingView {
  readonly standing: ObjectiveStanding;
  readonly burns: readonly BurnView[];
}

const actions = ["page", "ticket"] as const;

/** The field `standing` of an objective: its error budget and burn rates as of now. */
export function defineBudget() {
  const DayRef = builder.objectRef<BudgetDay>("ErrorBudgetDay").implement({
    description: "A day of the period, in the agreement's time zone; the first and the last one are cut to the period.",
    fields: (t) => ({
      from: t.expose("start", { type: "DateTime", description: "Its beginning." }),
      to: t.expose("end", { type: "DateTime", description: "Its end." }),
      valid: t.exposeFloat("valid", { description: "What is known of it, in the budget's unit." }),
      spent: t.exposeFloat("spent", { description: "What of it was bad." }),
      remainingShare: t.exposeFloat("remainingShare", {
        nullable: true,
        description: "What is left of the period's budget at its end, 1 to 0, below 0 when more is spent.",
      }),
    }),
  });
  const BudgetRef = builder.objectRef<BudgetFigures>("ErrorBudget").implement({
    description: "What may go wrong in the period, and what did, in eligible time.",
    fields: (t) => ({
      achieved: t.exposeFloat("achieved", { nullable: true, description: "The share that was good; null: nothing is known." }),
      valid: t.exposeFloat("valid", { description: "What is known." }),
      total: t.exposeFloat("total", { description: "What may go wrong of it: valid x (1 - target)." }),
      spent: t.exposeFloat("spent", { description: "What did." }),
      remaining: t.exposeFloat("remaining", { description: "What is left; below 0 when more is spent." }),
      remainingShare: t.exposeFloat("remainingShare", { nullable: true, description: "The same, of the total." }),
    }),
  });
  const ActionEnum = capsEnum("BurnAction", "What spending too fast is worth.", actions, {
    page: "Somebody is called.",
    ticket: "It waits for the day.",
  });
  const BurnRef = builder.objectRef<BurnView>("ObjectiveBurn").implement({
    description: "How fast the budget is spent, by one rule: 1 spends it exactly in the period.",
    fields: (t) => ({
      rule: t.string({ description: "14.4x, 6x, 3x or 1x.", resolve: ({ verdict }) => verdict.rule.name }),
      factor: t.float({ description: "Both windows must reach it.", resolve: ({ verdict }) => verdict.rule.factor }),
      longSeconds: t.int({ description: "The long window, in eligible time.", resolve: ({ verdict }) => verdict.rule.longMs / 1_000 }),
      shortSeconds: t.int({ description: "The short one.", resolve: ({ verdict }) => verdict.rule.shortMs / 1_000 }),
      action: t.field({ type: ActionEnum, description: "What it is worth.", resolve: ({ verdict }) => verdict.rule.action }),
      longRate: t.float({
        nullable: true,
        description: "How many times too fast in the long window; null: nothing is known.",
        resolve: ({ verdict }) => verdict.long,
      }),
      shortRate: t.float({ nullable: true, description: "The same in the short one.", resolve: ({ verdict }) => verdict.short }),
      badEvents: t.float({
        description: "Bad results in the long window; ten at least are needed.",
        resolve: ({ verdict }) => verdict.badEvents,
      }),
      isBurning: t.boolean({ description: "It is met now.", resolve: ({ verdict }) => verdict.isBurning }),
      since: t.field({
        type: "DateTime",
        nullable: true,
        description: "Since when it was met at every look; null: it was not at the last one.",
        resolve: ({ stored }) => stored?.since ?? null,
      }),
      hasAlert: t.boolean({
        description: "It has raised an alert. One without an endpoint on the routes of its integrations cannot.",
        resolve: ({ stored }) => stored !== null && stored.endpointId !== null,
      }),
    }),
  });
  const StandingRef = builder.objectRef<StandingView>("ObjectiveStanding").implement({
    description: "How an objective stands now, of the integrations that you may see.",
    fields: (t) => ({
      from: t.field({ type: "DateTime", description: "The period's beginning.", resolve: ({ standing }) => standing.period.start }),
      to: t.field({ type: "DateTime", description: "Its end: the last whole minute.", resolve: ({ standing }) => standing.period.end }),
      unit: t.string({ description: "What budget and days are counted in: ms or events.", resolve: ({ standing }) => standing.unit }),
      integrations: t.int({ description: "Of how many integrations.", resolve: ({ standing }) => standing.integrations.length }),
      budget: t.field({ type: BudgetRef, description: "The error budget.", resolve: ({ standing }) => standing.figures }),
      days: t.field({ type: [DayRef], description: "Day by day, at most 32.", resolve: ({ standing }) => [...standing.days] }),
      burns: t.field({ type: [BurnRef], description: "How fast it is spent, by four rules.", resolve: ({ burns }) => [...burns] }),
    }),
  });
  return {
    type: StandingRef,
    description:
      "Its error budget and how fast it is spent, as of now. Fails with QSC_KPI_SCOPE when its scope has no integration any more.",
    complexity: costOfStanding,
    resolve: async (objective: ObjectiveRow, _args: object, { database, zones }: RequestContext): Promise<StandingView> => {
      const tx = database.db;
      const standing = await evaluateObjective({ tx, zones }, objective, await readNow(tx));
      const stored = new Map((await burnsOf(tx, objective.id)).map((burn) => [burn.rule, burn]));
      return { standing, burns: standing.burns.map((verdict) => ({ verdict, stored: stored.get(verdict.rule.name) ?? null })) };
    },
  };
}
