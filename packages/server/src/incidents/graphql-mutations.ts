import type { IncidentState } from "@quiesce/core";
import type { Change } from "../access/targets.js";
import type { CommandContext } from "../command.js";
import { builder } from "../graphql/builder.js";
import type { capsEnum } from "../graphql/caps-enum.js";
import { numberOf } from "../graphql/key-or-id.js";
import { IncidentRef, ProblemRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { answerOffer, assignIncident, incidentRefused, moveIncident, noteIncident, offerIncident } from "./commands.js";
import { mergeIncidents, splitIncident } from "./merge-commands.js";
import { updateProblem } from "./problem-commands.js";
import { linkIncidentToProblem, unlinkIncidentFromProblem } from "./problem-links.js";
import type { ProblemView } from "./queries.js";

const write = { authScopes: { can: "incidents.write" } } as const;

function onIncidents(...ids: readonly number[]): Change {
  return { action: "incidents.write", on: ids.map((key) => ({ kind: "incident", key })) };
}

type Enum<Value extends string> = ReturnType<typeof capsEnum<Value>>;

/** Working on incidents and problems. */
export function defineIncidentMutations(enums: {
  readonly StateEnum: Enum<IncidentState>;
  readonly ProblemStateEnum: Enum<ProblemView["state"]>;
}): void {
  defineWork(enums.StateEnum);
  defineTransfer();
  defineParting();
  defineProblemLinks();
  defineProblemMutation(enums.ProblemStateEnum);
}

const idOf = (key: string, field = "key"): number => numberOf("Incident", key, field);

/** Runs a command on one incident and answers it. */
async function onOne(
  context: RequestContext,
  key: string,
  command: (context: CommandContext, id: number) => Promise<void>,
): Promise<string> {
  const id = idOf(key);
  await runCommand(context, onIncidents(id), (inside) => command(inside, id));
  return String(id);
}

function defineWork(StateEnum: Enum<IncidentState>): void {
  const MoveInput = builder.inputType("MoveIncidentInput", {
    description: "An incident and the state that it shall be in.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number or id." }),
      state: t.field({ type: StateEnum, required: true, description: "The state. MERGED is mergeIncidents." }),
      evenIfFiring: t.boolean({ description: "Resolve it although alerts still fire: their monitor is wrong." }),
      reason: t.string({ description: "Why: needed for on hold, for opening again, and for resolving what fires." }),
    }),
  });
  const NoteInput = builder.inputType("NoteIncidentInput", {
    description: "A note on an incident's timeline.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      text: t.string({ required: true, description: "The note, at most 10,000 characters." }),
    }),
  });
  const AssignInput = builder.inputType("AssignIncidentInput", {
    description: "Who works on an incident.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      assignee: t.string({ description: "Who; left out, nobody." }),
      reason: t.string({ description: "Why." }),
    }),
  });
  builder.mutationFields((t) => ({
    moveIncident: t.field({
      type: IncidentRef,
      ...write,
      description: "Takes an incident to another state: acknowledged, in progress, on hold, resolved, closed, or open again.",
      args: { input: t.arg({ type: MoveInput, required: true, description: "Which one, and where to." }) },
      resolve: (_root, { input }, context) =>
        onOne(context, input.key, (command, id) => {
          const { state: to, evenIfFiring, reason } = input;
          if (to === "merged")
            throw incidentRefused("STATE", "An incident becomes merged by mergeIncidents, which says into which one.", "state");
          return moveIncident(command, { id, to, evenIfFiring: evenIfFiring === true, reason: reason ?? null });
        }),
    }),
    noteIncident: t.field({
      type: IncidentRef,
      ...write,
      description: "Writes a note on an incident's timeline.",
      args: { input: t.arg({ type: NoteInput, required: true, description: "Which one, and the note." }) },
      resolve: (_root, { input }, context) => onOne(context, input.key, (command, id) => noteIncident(command, { id, text: input.text })),
    }),
    assignIncident: t.field({
      type: IncidentRef,
      ...write,
      description: "Says who works on an incident.",
      args: { input: t.arg({ type: AssignInput, required: true, description: "Which one, and who." }) },
      resolve: (_root, { input }, context) =>
        onOne(context, input.key, (command, id) =>
          assignIncident(command, { id, assignee: input.assignee ?? null, reason: input.reason ?? null }),
        ),
    }),
  }));
}

function defineTransfer(): void {
  const OfferInput = builder.inputType("OfferIncidentInput", {
    description: "An incident that another team shall take over.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number or id." }),
      team: t.string({ required: true, description: "The team, by its key." }),
      reason: t.string({ required: true, description: "Why; the team is told." }),
    }),
  });
  const AnswerInput = builder.inputType("AnswerIncidentOfferInput", {
    description: "The answer of the team that is asked.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      accept: t.boolean({ required: true, description: "It takes it; false: it stays where it is." }),
      reason: t.string({ description: "Why; needed to decline." }),
    }),
  });
  builder.mutationFields((t) => ({
    offerIncident: t.field({
      type: IncidentRef,
      ...write,
      description: "Offers an incident to another team. It stays where it is until that team accepts.",
      args: { input: t.arg({ type: OfferInput, required: true, description: "Which one, to whom, and why." }) },
      resolve: (_root, { input }, context) =>
        onOne(context, input.key, (command, id) => offerIncident(command, { id, team: input.team, reason: input.reason })),
    }),
    answerIncidentOffer: t.field({
      type: IncidentRef,
      ...write,
      description: "Accepts an incident that is offered, or declines it.",
      args: { input: t.arg({ type: AnswerInput, required: true, description: "Which one, and the answer." }) },
      resolve: (_root, { input }, context) =>
        onOne(context, input.key, (command, id) => answerOffer(command, { id, accept: input.accept, reason: input.reason ?? null })),
    }),
  }));
}

function defineParting(): void {
  const MergeInput = builder.inputType("MergeIncidentsInput", {
    description: "Two incidents of one cause.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The one that goes." }),
      into: t.string({ required: true, description: "The one that stands for it." }),
      reason: t.string({ required: true, description: "Why." }),
    }),
  });
  const SplitInput = builder.inputType("SplitIncidentInput", {
    description: "Alerts of an incident that have another cause.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      alerts: t.stringList({ required: true, description: "The alerts, by number or id; at most 1,000." }),
      reason: t.string({ required: true, description: "Why." }),
    }),
  });
  builder.mutationFields((t) => ({
    mergeIncidents: t.field({
      type: IncidentRef,
      ...write,
      description: "Puts one incident under another, for good. Answers the one that stands for both.",
      args: { input: t.arg({ type: MergeInput, required: true, description: "Which ones." }) },
      resolve: async (_root, { input }, context) => {
        const id = idOf(input.key);
        const into = idOf(input.into, "into");
        await runCommand(context, onIncidents(id, into), (command) => mergeIncidents(command, { id, into, reason: input.reason }));
        return String(into);
      },
    }),
    splitIncident: t.field({
      type: IncidentRef,
      ...write,
      description: "Takes alerts out of an incident into a new one, which is answered.",
      args: { input: t.arg({ type: SplitInput, required: true, description: "Which ones." }) },
      resolve: async (_root, { input }, context) => {
        const id = idOf(input.key);
        const alerts = input.alerts.map((one) => numberOf("Alert", one, "alerts"));
        const made = await runCommand(context, onIncidents(id), (command) => splitIncident(command, { id, alerts, reason: input.reason }));
        return String(made.id);
      },
    }),
  }));
}

function defineProblemLinks(): void {
  const LinkInput = builder.inputType("LinkIncidentToProblemInput", {
    description: "An incident that is one more time of a problem.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      problem: t.string({ required: true, description: "The problem's number or id." }),
      reason: t.string({ required: true, description: "Why; it stays on the timeline." }),
    }),
  });
  const UnlinkInput = builder.inputType("UnlinkIncidentFromProblemInput", {
    description: "An incident that has another cause than its problem.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The incident's number or id." }),
      reason: t.string({ required: true, description: "Why; it stays on the timeline." }),
    }),
  });
  builder.mutationFields((t) => ({
    linkIncidentToProblem: t.field({
      type: IncidentRef,
      ...write,
      description: "Links an incident to a problem that is not closed, whatever its root is. Quiesce leaves the link as it is.",
      args: { input: t.arg({ type: LinkInput, required: true, description: "Which ones." }) },
      resolve: async (_root, { input }, context) => {
        const id = idOf(input.key);
        const problem = numberOf("Problem", input.problem, "problem");
        const on = [
          { kind: "incident", key: id },
          { kind: "problem", key: problem },
        ] as const;
        await runCommand(context, { action: "incidents.write", on }, (command) =>
          linkIncidentToProblem(command, { id, problem, reason: input.reason }),
        );
        return String(id);
      },
    }),
    unlinkIncidentFromProblem: t.field({
      type: IncidentRef,
      ...write,
      description: "Takes an incident out of its problem. Quiesce does not link it again.",
      args: { input: t.arg({ type: UnlinkInput, required: true, description: "Which one." }) },
      resolve: (_root, { input }, context) =>
        onOne(context, input.key, (command, id) => unlinkIncidentFromProblem(command, { id, reason: input.reason })),
    }),
  }));
}

function defineProblemMutation(ProblemStateEnum: Enum<ProblemView["state"]>): void {
  const UpdateInput = builder.inputType("UpdateProblemInput", {
    description: "What people found out about a problem; what is left out stays.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number or id." }),
      state: t.field({ type: ProblemStateEnum, description: "Where it is." }),
      cause: t.string({ description: "What its cause is." }),
      workaround: t.string({ description: "What helps until it is mended." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    updateProblem: t.field({
      type: ProblemRef,
      ...write,
      description: "Writes down the cause of a problem, what helps, or that it is mended.",
      args: { input: t.arg({ type: UpdateInput, required: true, description: "Which one, and what." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("Problem", input.key, "key");
        const { state, cause, workaround, reason } = input;
        await runCommand(context, { action: "incidents.write", on: [{ kind: "problem", key: id }] }, (command) =>
          updateProblem(command, { id, state: state ?? null, cause: cause ?? null, workaround: workaround ?? null, reason }),
        );
        return String(id);
      },
    }),
  }));
}
