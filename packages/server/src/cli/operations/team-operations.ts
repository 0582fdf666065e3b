import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const team = z.object({
  key: z.string(),
  title: z.string(),
  webhooks: z.array(
    z.object({
      destination: z.string(),
      events: z.array(z.string()),
      observe: z.boolean(),
      disabledAt: z.string().nullable(),
      pending: z.number(),
    }),
  ),
  mails: z.array(
    z.object({
      to: z.string(),
      endpoint: z.object({ key: z.string() }).nullable(),
      stream: z.string(),
      events: z.array(z.string()),
      observe: z.boolean(),
      pending: z.number(),
    }),
  ),
});
export const listTeams = operation(
  `query Teams($first: Int, $after: String) {
    teams(first: $first, after: $after) {
      nodes { key title webhooks { destination events observe disabledAt pending } mails { to endpoint { key } stream events observe pending } } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ teams: z.object({ nodes: z.array(team), pageInfo }) }),
);

const delivery = z.object({
  key: z.string(),
  messageId: z.string(),
  kind: z.string(),
  team: z.string(),
  destination: z.string(),
  state: z.string(),
  attempts: z.number(),
  at: z.string(),
  nextAt: z.string().nullable(),
  lastError: z.string().nullable(),
});
const DELIVERY_FIELDS = "key messageId kind team destination state attempts at nextAt lastError";
export const listDeliveries = operation(
  `query Deliveries($first: Int, $after: String, $filter: DeliveryFilter) {
    deliveries(first: $first, after: $after, filter: $filter) { nodes { ${DELIVERY_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ deliveries: z.object({ nodes: z.array(delivery), pageInfo }) }),
);

export const testTeam = operation(
  "mutation TestTeam($input: TestTeamInput!) { testTeam(input: $input) { destination ok status answer enabled } }",
  z.object({
    testTeam: z.array(
      z.object({ destination: z.string(), ok: z.boolean(), status: z.number().nullable(), answer: z.string(), enabled: z.boolean() }),
    ),
  }),
);

export const redeliver = operation(
  `mutation Redeliver($input: RedeliverInput!) { redeliver(input: $input) { ${DELIVERY_FIELDS} } }`,
  z.object({ redeliver: delivery }),
);
