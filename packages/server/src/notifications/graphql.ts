import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { numberOf } from "../graphql/key-or-id.js";
import { DeliveryRef, EndpointRef, TeamRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { redeliver, testTeam, type TestAnswer } from "./commands.js";
import { deliveryPage, deliveryStates, teamIdOfKey, teamPage, type MailView, type WebhookView } from "./queries.js";
import type { Change } from "../access/targets.js";

const read = { authScopes: { can: "catalogue.read" } } as const;
const send = { authScopes: { can: "notifications.send" } } as const;

/** Teams, where they are told, and what they were told. */
export function defineNotifications(): void {
  defineTeams();
  defineDeliveries();
  defineNotificationMutations();
}

function defineTeams(): void {
  const WebhookRef = builder.objectRef<WebhookView>("TeamWebhook").implement({
    description: "Where a team is told. Messages are signed as Standard Webhooks says; the secret is never shown.",
    fields: (t) => ({
      destination: t.exposeString("destination", { description: "The origin of its address; the rest may be secret." }),
      events: t.field({ type: ["String"], description: "The kinds it wants; empty: the usual ones.", resolve: (row) => [...row.events] }),
      observe: t.exposeBoolean("observe", { description: "Whether it is told of windows that only observe, too." }),
      disabledAt: t.expose("disabledAt", {
        type: "DateTime",
        nullable: true,
        description: "Since when nothing is sent there, because the receiver said 410 Gone. testTeam enables it when it answers again.",
      }),
      pending: t.exposeInt("pending", { description: "Messages that wait to be delivered there." }),
    }),
  });
  const MailRef = builder.objectRef<MailView>("TeamMail").implement({
    description: "A mail address at which a team is told, by a record into a stream of an endpoint that sends mails.",
    fields: (t) => ({
      to: t.exposeString("to", { description: "The address." }),
      endpoint: t.field({
        type: EndpointRef,
        nullable: true,
        description: "The endpoint by which mails go out; null when it is out of your reach.",
        resolve: (row) => String(row.endpointId),
      }),
      stream: t.exposeString("stream", { description: "The stream of the endpoint: it says whom they are from." }),
      events: t.field({ type: ["String"], description: "The kinds it wants; empty: the usual ones.", resolve: (row) => [...row.events] }),
      observe: t.exposeBoolean("observe", { description: "Whether it is told of windows that only observe, too." }),
      pending: t.exposeInt("pending", { description: "Messages that wait to be delivered there." }),
    }),
  });
  builder.objectType(TeamRef, {
    description: "Who answers for windows (owner) and integrations (ownerTeam), and where they are told.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its key: what owner and ownerTeam name." }),
      title: t.exposeString("title", { description: "Its name." }),
      webhooks: t.field({ type: [WebhookRef], description: "Where it is told; at most 20.", resolve: (row) => [...row.webhooks] }),
      mails: t.field({
        type: [MailRef],
        description: "The mail addresses at which it is told; at most 20.",
        resolve: (row) => [...row.mails],
      }),
    }),
  });
  const TeamConnection = builder.connectionObject(
    { type: TeamRef, name: "TeamConnection", description: "A page of teams." },
    { name: "TeamEdge", description: "A team in a list." },
  );
  builder.queryFields((t) => ({
    teams: t.field({
      type: TeamConnection,
      ...read,
      description: "Teams by key.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => teamPage(database, args),
    }),
    team: t.field({
      type: TeamRef,
      nullable: true,
      ...read,
      description: "The team of this key; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key." }) },
      resolve: async (_root, { key }, { database }) => {
        const id = await teamIdOfKey(database, key);
        return id === null ? null : String(id);
      },
    }),
  }));
}

function defineDeliveries(): void {
  const StateEnum = capsEnum("DeliveryState", "How far a message to a team is.", deliveryStates, {
    pending: "It waits for its turn, its next attempt or its answer.",
    delivered: "The receiver answered with 2xx, or the mail server took it.",
    failed: "It was given up.",
  });
  builder.objectType(DeliveryRef, {
    description: "One message to one webhook or mail address of a team.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      messageId: t.exposeString("messageId", {
        description: "The same for every attempt: the header webhook-id; of a mail it makes the Message-ID.",
      }),
      kind: t.exposeString("kind", { description: "The event that it tells: docs/reference/events.md." }),
      team: t.exposeString("team", { description: "Whom it is for." }),
      destination: t.exposeString("destination", { description: "Where it goes: of a webhook the origin, of a mail the address." }),
      payload: t.field({ type: "JSON", description: "The message.", resolve: (row) => row.payload }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      attempts: t.exposeInt("attempts", { description: "How often it was tried." }),
      at: t.expose("at", { type: "DateTime", description: "When what it tells happened." }),
      nextAt: t.expose("nextAt", { type: "DateTime", nullable: true, description: "When it is tried next; null when it is over." }),
      deliveredAt: t.expose("deliveredAt", { type: "DateTime", nullable: true, description: "When it was taken." }),
      failedAt: t.expose("failedAt", { type: "DateTime", nullable: true, description: "When it was given up." }),
      lastStatus: t.exposeInt("lastStatus", {
        nullable: true,
        description: "The HTTP status of the last answer; null when there was none, and of mails.",
      }),
      lastError: t.exposeString("lastError", { nullable: true, description: "What was wrong the last time." }),
    }),
  });
  const DeliveryConnection = builder.connectionObject(
    { type: DeliveryRef, name: "DeliveryConnection", description: "A page of messages to teams." },
    { name: "DeliveryEdge", description: "A message in a list." },
  );
  const Filter = builder.inputType("DeliveryFilter", {
    description: "Which messages; every condition must hold.",
    fields: (t) => ({
      state: t.field({ type: [StateEnum], description: "In one of these states." }),
      team: t.string({ description: "To this team." }),
      window: t.string({ description: "About the window of this key." }),
    }),
  });
  builder.queryField("deliveries", (t) =>
    t.field({
      type: DeliveryConnection,
      ...read,
      description: "Messages to teams, newest first; kept for 30 days.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: (_root, { filter, ...args }, { database }) =>
        deliveryPage(database, args, { states: filter?.state, team: filter?.team, window: filter?.window }),
    }),
  );
}

function defineNotificationMutations(): void {
  const AnswerRef = builder.objectRef<TestAnswer>("TestAnswer").implement({
    description: "How a receiver answered a test message.",
    fields: (t) => ({
      destination: t.exposeString("destination", { description: "Where it went: of a webhook the origin, of a mail the address." }),
      ok: t.exposeBoolean("ok", { description: "Whether the answer was 2xx, or the mail was taken." }),
      status: t.exposeInt("status", { nullable: true, description: "The HTTP status; null: there was no answer." }),
      answer: t.exposeString("answer", { description: "The beginning of the answer, or why there was none." }),
      enabled: t.exposeBoolean("enabled", { description: "Whether it was disabled, and is not any more." }),
    }),
  });
  const TestInput = builder.inputType("TestTeamInput", {
    description: "Whom to send a test message.",
    fields: (t) => ({ key: t.string({ required: true, description: "The team's key." }) }),
  });
  const RedeliverInput = builder.inputType("RedeliverInput", {
    description: "A message to send once more.",
    fields: (t) => ({
      key: t.id({ required: true, description: "The message's number or id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    testTeam: t.field({
      type: [AnswerRef],
      ...send,
      description:
        "Sends a message of the type quiesce.test to every webhook, signed, and to every mail address of a team, and tells how each answered.",
      args: { input: t.arg({ type: TestInput, required: true, description: "Whom." }) },
      resolve: (_root, { input }, context) =>
        runCommand(context, { action: "notifications.send", on: [{ kind: "team", key: input.key }] }, async (command) => [
          ...(await testTeam({ ...command, ...context.catalogue }, input.key)),
        ]),
    }),
    redeliver: t.field({
      type: DeliveryRef,
      ...send,
      description: "Sends a message that was delivered or given up once more, under its old id.",
      args: { input: t.arg({ type: RedeliverInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("Delivery", input.key, "key");
        const change: Change = { action: "notifications.send", on: [{ kind: "delivery", key: id }] };
        return String((await runCommand(context, change, (command) => redeliver(command, { id, reason: input.reason ?? undefined }))).id);
      },
    }),
  }));
}
