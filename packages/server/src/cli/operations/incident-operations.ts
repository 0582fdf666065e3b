import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const incidentShape = z.object({
  key: z.string(),
  state: z.string(),
  severity: z.string(),
  title: z.string(),
  root: z.string(),
  ownerTeam: z.string().nullable(),
  assignee: z.string().nullable(),
  offeredTo: z.string().nullable(),
  holdReason: z.string().nullable(),
  startedAt: z.string(),
  openedAt: z.string(),
  resolvedAt: z.string().nullable(),
  alertCount: z.number(),
  firingCount: z.number(),
  mergedInto: z.object({ key: z.string() }).nullable(),
  problem: z.object({ key: z.string() }).nullable(),
  integrations: z.array(z.object({ key: z.string() })),
});
export type IncidentAnswer = z.infer<typeof incidentShape>;

const fields = `key state severity title root ownerTeam assignee offeredTo holdReason startedAt openedAt resolvedAt alertCount firingCount
  mergedInto { key } problem { key } integrations { key }`;

export const listIncidents = operation(
  `query Incidents($first: Int, $after: String, $filter: IncidentFilter) {
    incidents(first: $first, after: $after, filter: $filter) { nodes { ${fields} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ incidents: z.object({ nodes: z.array(incidentShape), pageInfo }) }),
);
export const showIncident = operation(
  `query Incident($key: String!) { incident(key: $key) { ${fields} } }`,
  z.object({ incident: incidentShape.nullable() }),
);

const itemShape = z.object({
  at: z.string(),
  kind: z.string(),
  actor: z.string().nullable(),
  text: z.string(),
  subject: z.string().nullable(),
  data: z.unknown(),
});
export type TimelineAnswer = z.infer<typeof itemShape>;

export const incidentTimeline = operation(
  `query IncidentTimeline($key: String!, $first: Int, $after: String) {
    incident(key: $key) { timeline(first: $first, after: $after) { nodes { at kind actor text subject data } pageInfo { hasNextPage endCursor } } }
  }`,
  z.object({ incident: z.object({ timeline: z.object({ nodes: z.array(itemShape), pageInfo }) }).nullable() }),
);

export const moveIncident = operation(
  `mutation MoveIncident($input: MoveIncidentInput!) { moveIncident(input: $input) { ${fields} } }`,
  z.object({ moveIncident: incidentShape }),
);
export const noteIncident = operation(
  `mutation NoteIncident($input: NoteIncidentInput!) { noteIncident(input: $input) { ${fields} } }`,
  z.object({ noteIncident: incidentShape }),
);
export const assignIncident = operation(
  `mutation AssignIncident($input: AssignIncidentInput!) { assignIncident(input: $input) { ${fields} } }`,
  z.object({ assignIncident: incidentShape }),
);
export const offerIncident = operation(
  `mutation OfferIncident($input: OfferIncidentInput!) { offerIncident(input: $input) { ${fields} } }`,
  z.object({ offerIncident: incidentShape }),
);
export const answerIncidentOffer = operation(
  `mutation AnswerIncidentOffer($input: AnswerIncidentOfferInput!) { answerIncidentOffer(input: $input) { ${fields} } }`,
  z.object({ answerIncidentOffer: incidentShape }),
);
export const mergeIncidents = operation(
  `mutation MergeIncidents($input: MergeIncidentsInput!) { mergeIncidents(input: $input) { ${fields} } }`,
  z.object({ mergeIncidents: incidentShape }),
);
export const splitIncident = operation(
  `mutation SplitIncident($input: SplitIncidentInput!) { splitIncident(input: $input) { ${fields} } }`,
  z.object({ splitIncident: incidentShape }),
);

export const linkIncidentToProblem = operation(
  `mutation LinkIncidentToProblem($input: LinkIncidentToProblemInput!) { linkIncidentToProblem(input: $input) { ${fields} } }`,
  z.object({ linkIncidentToProblem: incidentShape }),
);
export const unlinkIncidentFromProblem = operation(
  `mutation UnlinkIncidentFromProblem($input: UnlinkIncidentFromProblemInput!) { unlinkIncidentFromProblem(input: $input) { ${fields} } }`,
  z.object({ unlinkIncidentFromProblem: incidentShape }),
);

const problemShape = z.object({
  key: z.string(),
  state: z.string(),
  title: z.string(),
  root: z.string(),
  cause: z.string().nullable(),
  workaround: z.string().nullable(),
  openedAt: z.string(),
  closedAt: z.string().nullable(),
  system: z.object({ key: z.string() }).nullable(),
});
export type ProblemAnswer = z.infer<typeof problemShape>;
const problemFields = "key state title root cause workaround openedAt closedAt system { key }";

export const showProblem = operation(
  `query Problem($key: String!) { problem(key: $key) { ${problemFields} } }`,
  z.object({ problem: problemShape.nullable() }),
);

export const listProblems = operation(
  `query Problems($first: Int, $after: String, $states: [ProblemState!]) {
    problems(first: $first, after: $after, states: $states) { nodes { ${problemFields} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ problems: z.object({ nodes: z.array(problemShape), pageInfo }) }),
);
export const updateProblem = operation(
  `mutation UpdateProblem($input: UpdateProblemInput!) { updateProblem(input: $input) { ${problemFields} } }`,
  z.object({ updateProblem: problemShape }),
);
