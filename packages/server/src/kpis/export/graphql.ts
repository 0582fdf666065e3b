import { sampleClasses } from "@quiesce/core";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import { type ExportPage, mostExported, readExport, usualExported } from "./read-export.js";

/** A page has thousands of lines. */
const costOfPage = 50;

/** Samples and their sums as CSV, page by page. */
export function defineSampleExport(): void {
  const SampleClassEnum = capsEnum("SampleClass", "Samples one by one, or what they come to by minute, hour or day.", sampleClasses);
  const Page = builder.objectRef<ExportPage>("SamplesCsv").implement({
    description: "Some lines of a file of samples. Pages put together are the file.",
    authScopes: { can: "runs.read" },
    fields: (t) => ({
      csv: t.exposeString("csv", {
        description:
          "CSV (RFC 4180). The first page begins with the header: integration, metric, at, value, ok, key; of sums integration, metric, class, at, samples, good, marked, sum, min, max, mean, p50, p95, p99.",
      }),
      lines: t.exposeInt("lines", { description: "How many lines, without the header." }),
      endCursor: t.exposeString("endCursor", {
        nullable: true,
        description: "The next page goes on behind it; null: this is the last one.",
      }),
    }),
  });
  builder.queryField("samplesCsv", (t) =>
    t.field({
      type: Page,
      authScopes: { can: "runs.read" },
      description: "Samples of an integration one by one, or what they come to, as CSV: by metric and instant.",
      args: {
        integration: t.arg.string({ required: true, description: "The integration's key." }),
        metric: t.arg.string({ description: "Which metric; all of them, one after the other, when left out." }),
        class: t.arg({ type: SampleClassEnum, description: "SAMPLE when left out." }),
        from: t.arg({ type: "DateTime", required: true, description: "From then on; of sums those that begin then or later." }),
        to: t.arg({ type: "DateTime", required: true, description: "Before then." }),
        first: t.arg.int({ description: `How many lines, ${mostExported} at most; ${usualExported} when left out.` }),
        after: t.arg.string({ description: "Go on behind this cursor." }),
      },
      complexity: costOfPage,
      resolve: (_root, { integration, metric, class: of, from, to, first, after }, { database }) =>
        readExport(database.db, {
          integration,
          metric: metric ?? null,
          class: of ?? "sample",
          period: { start: from, end: to },
          first: first ?? usualExported,
          after: after ?? null,
        }),
    }),
  );
}
