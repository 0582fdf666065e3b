import { type SecurityScore, securityParts, type TimesTaken } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { IncidentRef } from "../graphql/refs.js";
import { scopeOf, type SharedTypes } from "./graphql-kpi.js";
import { type IncidentTimesAnswer, readIncidentTimes } from "./read-incident-times.js";
import { readSecurityScore } from "./read-security-score.js";

const costOfAnswer = 50;
const capReasons = [
  "expired-certificate",
  "plain-text-credential",
  "credential-twice-over-age",
] as const satisfies readonly SecurityScore["caps"][number]["reason"][];

/** Figures of the care that is taken: how soon incidents are worked on, how well access is kept. */
export function defineCare(shared: SharedTypes): void {
  defineTimes();
  defineSecurity(shared);
}

function defineTimes(): void {
  const TimesRef = builder.objectRef<TimesTaken>("TimesTaken").implement({
    description: "How long something took, ms. Null: nothing is over.",
    fields: (t) => ({
      count: t.exposeInt("count", { description: "How many are over." }),
      meanMs: t.exposeFloat("meanMs", { nullable: true, description: "Their mean." }),
      medianMs: t.exposeFloat("medianMs", { nullable: true, description: "Half of them took no longer." }),
      p90Ms: t.exposeFloat("p90Ms", { nullable: true, description: "90 of 100 took no longer." }),
      censored: t.exposeInt("censored", { description: "Those that are not over: not in the figures above." }),
      longestOpenMs: t.exposeFloat("longestOpenMs", { nullable: true, description: "The longest of these until now." }),
    }),
  });
  const AnswerRef = builder.objectRef<IncidentTimesAnswer>("IncidentTimes").implement({
    description: "How soon incidents were taken and over.",
    fields: (t) => ({
      from: t.field({ type: "DateTime", description: "The period's beginning.", resolve: ({ period }) => period.start }),
      to: t.field({ type: "DateTime", description: "Its end, now at most.", resolve: ({ period }) => period.end }),
      incidents: t.exposeInt("incidents", { description: "Incidents that were opened in it, without merged ones; the newest 50,000." }),
      acknowledge: t.expose("acknowledge", {
        type: TimesRef,
        description: "Time to acknowledge (MTTA). What was resolved before was acknowledged then.",
      }),
      resolve: t.expose("resolve", { type: TimesRef, description: "Time to resolve (MTTR)." }),
      open: t.field({
        type: [IncidentRef],
        description: "Those that are not resolved, the oldest first: the first 50.",
        resolve: ({ open }) => open.map(String),
      }),
    }),
  });
  builder.queryField("incidentTimes", (t) =>
    t.field({
      type: AnswerRef,
      authScopes: { can: "catalogue.read" },
      description: "MTTA and MTTR of the incidents that were opened in a period.",
      args: {
        from: t.arg({ type: "DateTime", required: true, description: "The period's beginning." }),
        to: t.arg({ type: "DateTime", required: true, description: "Its end." }),
        system: t.arg.string({ description: "With their root at this system: its key or id." }),
        team: t.arg.string({ description: "Of this team, by its key." }),
      },
      complexity: costOfAnswer,
      resolve: async (_root, { from, to, system, team }, context) =>
        readIncidentTimes(context.database, {
          period: { start: from, end: to },
          system: typeof system === "string" ? await keyOf(context, "System", system) : null,
          team: team ?? null,
        }),
    }),
  );
}

function defineSecurity({ Scope }: SharedTypes): void {
  const PartEnum = capsEnum("SecurityPart", "A part of the security score.", securityParts, {
    "credential-age": "Credentials are renewed in time.",
    tls: "Connections are of a present protocol, with a certificate that is trusted.",
    certificate: "Certificates last another month.",
    "access-review": "Access was reviewed within the last three months.",
    "least-privilege": "The last review left no grant wider than what is used.",
    "encrypted-endpoints": "Nothing goes over plain text.",
  });
  const CapEnum = capsEnum("SecurityCapReason", "What holds the score down whatever else is well.", capReasons);
  const PartRef = builder.objectRef<SecurityScore["parts"][number]>("SecurityScorePart").implement({
    description: "One part of the security score.",
    fields: (t) => ({
      part: t.expose("part", { type: PartEnum, description: "Which." }),
      weight: t.exposeInt("weight", { description: "What it is worth, of 100." }),
      value: t.exposeFloat("value", {
        nullable: true,
        description: "0 to 1; null: nothing here can have it, its weight falls to the others.",
      }),
      judged: t.exposeInt("judged", { description: "How many things were judged." }),
      bad: t.exposeInt("bad", { description: "How many of them are not well." }),
    }),
  });
  const CapRef = builder.objectRef<SecurityScore["caps"][number]>("SecurityScoreCap").implement({
    description: "A limit of the score.",
    fields: (t) => ({
      reason: t.expose("reason", { type: CapEnum, description: "Why." }),
      most: t.exposeInt("most", { description: "The score is this at most." }),
    }),
  });
  const ScoreRef = builder.objectRef<SecurityScore & { readonly endpoints: number }>("SecurityScore").implement({
    description: "How well access to systems is kept.",
    fields: (t) => ({
      score: t.exposeFloat("score", { nullable: true, description: "0 to 100; null: there is no endpoint." }),
      endpoints: t.exposeInt("endpoints", { description: "Of how many endpoints." }),
      parts: t.expose("parts", { type: [PartRef], description: "What it is made of." }),
      caps: t.expose("caps", { type: [CapRef], description: "What holds it down." }),
    }),
  });
  builder.queryField("securityScore", (t) =>
    t.field({
      type: ScoreRef,
      authScopes: { can: "runs.read" },
      description:
        "How well access to the systems on the routes of integrations is kept, as of now. What was not looked at for seven days scores 0. Reviews are those of the whole deployment.",
      args: { scope: t.arg({ type: Scope, description: "Of which integrations; all when left out." }) },
      complexity: costOfAnswer,
      resolve: (_root, { scope }, { database, whole }) => readSecurityScore({ seen: database, whole }, scopeOf(scope)),
    }),
  );
}
