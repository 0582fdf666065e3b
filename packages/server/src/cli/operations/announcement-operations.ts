import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const announcementShape = z.object({
  endpoint: z.object({ key: z.string() }),
  window: z.object({ key: z.string() }),
  localStart: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  resources: z.array(z.string()),
  state: z.string(),
  announcedAt: z.string().nullable(),
  problem: z.string().nullable(),
});
export type AnnouncementAnswer = z.infer<typeof announcementShape>;

export const listAnnouncements = operation(
  `query MonitorAnnouncements($first: Int, $after: String, $filter: MonitorAnnouncementFilter) {
    monitorAnnouncements(first: $first, after: $after, filter: $filter) {
      nodes { endpoint { key } window { key } localStart startsAt endsAt resources state announcedAt problem }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ monitorAnnouncements: z.object({ nodes: z.array(announcementShape), pageInfo }) }),
);

const remoteShape = z.object({
  endpoint: z.object({ key: z.string() }),
  remoteId: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  resources: z.array(z.string()),
  title: z.string(),
  author: z.string().nullable(),
});
export type RemoteDowntimeAnswer = z.infer<typeof remoteShape>;

export const listRemoteDowntimes = operation(
  `query RemoteDowntimes($first: Int, $after: String, $endpoint: String) {
    remoteDowntimes(first: $first, after: $after, endpoint: $endpoint) {
      nodes { endpoint { key } remoteId startsAt endsAt resources title author }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ remoteDowntimes: z.object({ nodes: z.array(remoteShape), pageInfo }) }),
);
