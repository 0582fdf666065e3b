import { DomainError } from "@quiesce/core";
import type { LiveItem } from "../events/live-bus.js";
import { type Pulse, stateSource } from "../events/live-source.js";
import { numberNamed, openLog } from "../events/open-log.js";
import { builder } from "../graphql/builder.js";
import { numberOf } from "../graphql/key-or-id.js";
import { IncidentRef, ProblemRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { incidentsByIds, problemsByIds } from "./queries.js";

/** Nobody gets the state more often than this. */
const INTERVAL_MS = 250;
/** A subscription follows at most so many problems by name. */
const MAX_NAMED = 100;

/** One incident, live. */
export function defineIncidentSubscription(): void {
  const ChangeRef = builder.objectRef<Pulse & { readonly incidentId: number }>("IncidentProgress").implement({
    description: "An incident as it is now.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "liveEvents(after: it) continues where this was read." }),
      incident: t.field({ type: IncidentRef, description: "The incident.", resolve: (row) => String(row.incidentId) }),
    }),
  });
  const idOf = async ({ database }: RequestContext, key: string): Promise<number> => {
    const id = numberOf("Incident", key, "key");
    const [row] = await incidentsByIds(database, [id]);
    if (row === undefined) throw new DomainError("QSC_INCIDENT_NOT_FOUND", `There is no incident "${key}".`, { field: "key" });
    return id;
  };
  builder.subscriptionField("incidentProgress", (t) =>
    t.field({
      type: ChangeRef,
      authScopes: { can: "events.read" },
      description:
        "One incident: at once, and then whenever something of it, or of an alert, has changed. All incidents: liveEvents with incident.*",
      args: { key: t.arg.string({ required: true, description: "Its number or id." }) },
      subscribe: async (_root, args, context) => {
        const id = String(await idOf(context, args.key));
        return stateSource({
          place: context.bus.tail,
          matches: (event) => (event.subjectKind === "incident" && event.subjectKey === id) || event.kind.startsWith("alert."),
          minIntervalMs: INTERVAL_MS,
        });
      },
      resolve: async (pulse: Pulse, args, context) => ({ ...pulse, incidentId: await idOf(context, args.key) }),
    }),
  );
}

/** Problems, live. */
export function defineProblemSubscription(): void {
  const EventRef = builder.objectRef<LiveItem>("ProblemEvent").implement({
    description: "Something that happened to a problem, or (kind heartbeat) a sign that nothing did.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "Resume here: problemEvents(after: cursor). Kept at least seven days." }),
      at: t.field({
        type: "DateTime",
        description: "When it happened; of a heartbeat, the server's time.",
        resolve: (row) => (row.type === "event" ? row.event.at : row.at),
      }),
      kind: t.string({
        description: "problem.opened, problem.linked, problem.unlinked, problem.updated, or heartbeat.",
        resolve: (row) => (row.type === "event" ? row.event.kind : row.type),
      }),
      problem: t.field({
        type: ProblemRef,
        nullable: true,
        description: "The problem as it is now, which may be later than this event; null of a heartbeat.",
        resolve: (row) => (row.type === "event" ? row.event.subjectKey : null),
      }),
      incident: t.field({
        type: IncidentRef,
        nullable: true,
        description: "The incident that was linked or taken out, where it is in reach.",
        resolve: (row) => numberNamed(row, "incident"),
      }),
    }),
  });
  builder.subscriptionField("problemEvents", (t) =>
    t.field({
      type: EventRef,
      authScopes: { can: "events.read" },
      description:
        "What happens to problems that the caller may see, in order, without a gap or a repeat, with a heartbeat every 15 silent seconds.",
      args: {
        after: t.arg.string({ description: "Continue after this cursor; left out, from now on." }),
        keys: t.arg.stringList({ description: "Only of these problems: numbers or ids, at most 100." }),
      },
      subscribe: async (_root, { after, keys }, context) => {
        const ids = keys ? await followedProblems(context, keys) : null;
        return openLog(context, {
          after: after ?? null,
          kinds: ["problem.*"],
          ...(ids === null ? {} : { subjects: ids.map((id) => `problem:${id}`) }),
        });
      },
      resolve: (item: LiveItem) => item,
    }),
  );
}

/** Numbers of problems that the caller may see. Throws QSC_PROBLEM_NOT_FOUND: whoever follows one that is not there would wait for ever. */
async function followedProblems({ database }: RequestContext, keys: readonly string[]): Promise<readonly number[]> {
  const ids = keys.map((key) => numberOf("Problem", key, "keys"));
  // More than the filter takes is refused by it; nobody looks all of them up.
  if (ids.length > MAX_NAMED) return ids;
  const known = new Set((await problemsByIds(database, ids)).map(({ id }) => id));
  const missing = ids.find((id) => !known.has(id));
  if (missing !== undefined) throw new DomainError("QSC_PROBLEM_NOT_FOUND", `There is no problem ${missing}.`, { field: "keys" });
  return ids;
}
