import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { applyWorkspace, type CatalogContext } from "../../packages/server/src/catalog/commands.js";
import { createEgress } from "../../packages/server/src/connector-host/guarded-fetch.js";
import type { NoticeCalls } from "../../packages/server/src/connector-host/notice-calls.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { openDatabase } from "../../packages/server/src/db/client.js";
import { deliverOutbox } from "../../packages/server/src/notifications/deliver-outbox.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { controlTime } from "../database/control-time.js";
import { freshDatabase } from "../database/fresh-database.js";
import { type ReceivedWebhook, startReceiver } from "../webhooks/receiver.js";

/** What the receiver verifies the webhooks of every team with. */
export const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Where no team has a mail address. */
export const noNotices: NoticeCalls = {
  write: () => Promise.reject(new Error("No mail was expected here.")),
};

export type ToldTeams = Awaited<ReturnType<typeof toldTeams>>;

/** An ERP and the teams that own it and what runs through it, each with a webhook at one receiver; the clock is the test's. */
export async function toldTeams(options: { readonly start: number; readonly notices?: NoticeCalls }) {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 6, applicationName: "notifications-test" });
  const time = await controlTime(database.sql);
  await time.set(options.start);
  const keys = { current: masterKeyOf(Buffer.alloc(32, 1)), previous: [] };
  const context: CatalogContext = {
    database,
    zones: packagedZoneData(),
    keys,
    actor: { kind: "token", name: "tester", role: "admin", overridesFreezes: true },
  };
  await expandWindows(context);
  const { notices = noNotices } = options;
  const egress = createEgress();
  const received: ReceivedWebhook[] = [];
  const receiver = await startReceiver({ secret: webhookSecret, received });
  const hook = (path: string, more: object = {}) => ({ url: `${receiver.origin}${path}`, secret: { value: webhookSecret }, ...more });
  const usualTeams = () => [
    { key: "erp-team", webhooks: [hook("/erp")] },
    { key: "sales", webhooks: [hook("/sales")] },
    { key: "marketing", webhooks: [hook("/marketing")] },
  ];
  const workspace = (teams: readonly object[] = usualTeams()) => ({
    quiesce: 1,
    systems: [{ key: "erp" }],
    integrations: [
      { key: "orders", ownerTeam: "sales", via: ["erp"] },
      { key: "stock", ownerTeam: "sales", via: ["erp"] },
      { key: "leads", ownerTeam: "marketing" },
    ],
    teams,
  });
  await applyWorkspace(context, workspace());
  const deliver = () => deliverOutbox({ database, keys: context.keys, egress, notices, random: () => 0 }, new AbortController().signal);
  return {
    database,
    time,
    context,
    egress,
    receiver,
    received,
    hook,
    usualTeams,
    workspace,
    deliver,
    /** All that is due, as the follower does it. */
    deliverAll: async (): Promise<void> => {
      while ((await deliver()).taken > 0);
    },
    /** Where what came, in order. */
    told: () => received.map(({ path, message }) => `${path} ${message.type}`),
    async close(): Promise<void> {
      await egress.close();
      await receiver.close();
      await database.close();
      await fresh.drop();
    },
  };
}

/** A window of the ERP, five hours after ten o'clock of the test's day. */
export const erpPatch = (patch: Partial<WindowInput> = {}): WindowInput => ({
  key: "erp-patch",
  title: "ERP patch",
  series: { start: "2026-03-02T15:00", end: "2026-03-02T16:00", timeZone: "Europe/Madrid" },
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "patch 42",
  ...patch,
});
