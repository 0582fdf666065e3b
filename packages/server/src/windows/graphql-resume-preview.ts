import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { CatchUpOverrideEnum } from "./graphql-resume.js";
import { previewResume, type ResumePreviewJob } from "./preview-resume.js";

/** What one resume would do, before it is ordered. */
export function defineResumePreview(): void {
  const JobRef = builder.objectRef<ResumePreviewJob>("ResumePreviewJob").implement({
    description: "What a release now would make of what one job waits with.",
    fields: (t) => ({
      job: t.exposeString("job", { description: "The job's key." }),
      integration: t.exposeString("integration", { description: "The integration's key." }),
      catchUp: t.expose("catchUp", { type: CatchUpOverrideEnum, description: "The policy that would decide." }),
      dueTimes: t.exposeInt("dueTimes", { description: "Due times that wait and would be let go." }),
      runsAfter: t.exposeInt("runsAfter", { description: "Runs that catch-up makes of them." }),
      skipped: t.exposeInt("skipped", { description: "Due times that no run makes up for." }),
      keptByOthers: t.exposeInt("keptByOthers", { description: "Due times that another hold would still keep." }),
    }),
  });
  builder.queryField("previewResume", (t) =>
    t.field({
      type: [JobRef],
      authScopes: { can: "windows.read" },
      description: "Shows what releasing the open occurrence of a window now would do. Nothing is changed.",
      complexity: 100,
      args: {
        window: t.arg.string({ required: true, description: "The window's key or id." }),
        catchUp: t.arg({ type: CatchUpOverrideEnum, description: "Instead of the jobs' own policies." }),
      },
      resolve: async (_root, { window, catchUp }, context) =>
        previewResume(context.database.db, { key: await keyOf(context, "MaintenanceWindow", window), catchUp: catchUp ?? undefined }),
    }),
  );
}
