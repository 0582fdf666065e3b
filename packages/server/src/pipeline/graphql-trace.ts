import { DomainError } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { DeadLetterRef, HoldRef, IntegrationRef, RunRef } from "../graphql/refs.js";
import { type Trace, type TraceHop, traceRecord, traceSteps } from "./trace-queries.js";

const USUAL_HOPS = 100;
const MOST_HOPS = 500;

/** One record through every hop. */
export function defineTrace(): void {
  const StepEnum = capsEnum("TraceStep", "What happened to a record.", traceSteps, {
    pushed: "It was accepted into the inbox.",
    held: "The run that carries it was held.",
    read: "A run took it from the source, or from the inbox.",
    missing: "The source no longer shows it.",
    replayed: "A run took it from the dead letters.",
    "flowed-back": "A run wrote its two-way fields to the source, or what a person decided to either side.",
    conflict: "A side refused what should flow to it: a person decides.",
    skipped: "The mapping's condition passes it over.",
    unchanged: "The target had it so already.",
    review: "It may have been written: a person decides.",
    discarded: "Its dead letter was closed without delivering it.",
  });
  const HopRef = builder.objectRef<TraceHop>("TraceHop").implement({
    description: "One thing that happened to a record.",
    fields: (t) => ({
      at: t.expose("at", { type: "DateTime", description: "When; what a run did with a page has the time of its commit." }),
      step: t.expose("step", { type: StepEnum, description: "What." }),
      integration: t.field({ type: IntegrationRef, description: "By which integration.", resolve: (row) => String(row.integrationId) }),
      stream: t.exposeString("stream", { description: "In which stream." }),
      recordKey: t.exposeString("recordKey", { description: "Its key in the source of that integration." }),
      run: t.field({
        type: RunRef,
        nullable: true,
        description: "By which run; null when that is not known any more.",
        resolve: (row) => row.runId,
      }),
      targetKey: t.exposeString("targetKey", { nullable: true, description: "Its key at the target, where that is another one." }),
      remoteId: t.exposeString("remoteId", { nullable: true, description: "What the target calls it, if it says so." }),
      version: t.exposeString("version", { nullable: true, description: "Its version at the target, if it says so." }),
      message: t.exposeString("message", { nullable: true, description: "Why, in words." }),
      deadLetter: t.field({
        type: DeadLetterRef,
        nullable: true,
        description: "Its dead letter.",
        resolve: (row) => (row.deadLetterId === null ? null : String(row.deadLetterId)),
      }),
      holds: t.field({ type: [HoldRef], description: "Of a hold: which ones.", resolve: (row) => row.holdIds.map(String) }),
    }),
  });
  const TraceRef = builder.objectRef<Trace>("Trace").implement({
    description: "What is known of a record, the oldest first.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      recordKey: t.exposeString("recordKey", { description: "The name that was asked for." }),
      hops: t.field({
        type: [HopRef],
        description: "What happened to it.",
        complexity: { field: 1, multiplier: USUAL_HOPS },
        resolve: (row) => row.hops,
      }),
      isCut: t.exposeBoolean("isCut", { description: "There was more; this is the newest." }),
      knownFrom: t.expose("knownFrom", { type: "DateTime", nullable: true, description: "What runs did before is not known any more." }),
    }),
  });
  builder.queryField("trace", (t) =>
    t.field({
      type: TraceRef,
      authScopes: { can: "records.read" },
      description: "Follows one record through every hop, hold and dead letter, by its key or by what a target calls it.",
      complexity: 100,
      args: {
        recordKey: t.arg.string({ required: true, description: "Its key in a source or at a target, or what a target calls it." }),
        integration: t.arg.string({ description: "Only on its way through this one (key or global id)." }),
        limit: t.arg.int({ description: `At most so many hops, the newest; ${USUAL_HOPS} when left out, at most ${MOST_HOPS}.` }),
      },
      resolve: async (_root, { recordKey, integration, limit }, context) => {
        const hops = limit ?? USUAL_HOPS;
        if (hops < 1 || hops > MOST_HOPS)
          throw new DomainError("QSC_TRACE_LIMIT", `limit is ${hops}, expected 1 to ${MOST_HOPS}.`, { field: "limit" });
        const key = typeof integration === "string" ? await keyOf(context, "Integration", integration) : null;
        return traceRecord(context.database, { recordKey, integration: key, limit: hops });
      },
    }),
  );
}
