import type { FieldChange, WorkspaceChange } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";

const KindEnum = capsEnum("ChangeKind", "What a step of an apply does.", ["create", "update", "delete"]);

export const FieldChangeRef = builder.objectRef<FieldChange>("WorkspaceFieldChange").implement({
  description: "One field that differs.",
  fields: (t) => ({
    path: t.exposeString("path", { description: "schedule.cron, streams[0].mapping.fields." }),
    before: t.field({
      type: "JSON",
      nullable: true,
      description: "Its value before; null: was not there.",
      resolve: (row) => row.before ?? null,
    }),
    after: t.field({
      type: "JSON",
      nullable: true,
      description: "Its value after; null: is not there any more.",
      resolve: (row) => row.after ?? null,
    }),
  }),
});

export const WorkspaceChangeRef = builder.objectRef<WorkspaceChange>("WorkspaceChange").implement({
  description: "One step of an apply.",
  fields: (t) => ({
    kind: t.field({ type: KindEnum, description: "What it does.", resolve: (row) => row.action }),
    objectType: t.exposeString("kind", {
      description: "system, endpoint, integration, job, holiday-calendar, calendar, approval-policy, team, window or sample-retention.",
    }),
    key: t.exposeString("key", { description: "Which one." }),
    fields: t.field({ type: [FieldChangeRef], description: "What differs.", resolve: (row) => row.changes }),
  }),
});
