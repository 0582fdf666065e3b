import { z } from "@quiesce/sdk";

const column = z.string().min(1).max(200);

const stream = z
  .object({
    name: z.string().min(1).max(100),
    path: z
      .string()
      .min(1)
      .max(1_000)
      .refine((path) => !path.startsWith("/") && !path.includes("\0") && !path.split(/[/\\]/u).includes(".."), {
        message: "is relative to the folder and does not leave it",
      }),
    format: z.enum(["csv", "jsonl"]),
    key: z.array(column).min(1).max(10).describe("The fields that identify a record."),
    delimiter: z.string().length(1).default(",").describe("CSV: what stands between two cells."),
    columns: z
      .array(column)
      .min(1)
      .max(1_000)
      .optional()
      .describe("CSV: the columns in their order. Needed to write, and to read a file without a header line."),
    header: z.boolean().default(true).describe("CSV: the first line holds the columns' names."),
    settleSeconds: z
      .number()
      .min(0)
      .max(3_600)
      .default(5)
      .describe("A last line without its end is read only if the file has not changed for so long: it may still be being written."),
    write: z
      .enum(["append", "upsert"])
      .optional()
      .describe(
        "append adds lines and cannot know repetitions. upsert replaces records by key: the whole file is written anew beside the old one and renamed over it, at most 64 MiB. Absent: read-only.",
      ),
    escapeFormulas: z
      .boolean()
      .default(false)
      .describe(
        "CSV: put ' before cells that a spreadsheet would run as a formula (= + - @). Switch it on where people open the file in one; it changes the data.",
      ),
  })
  .superRefine((value, context) => {
    const { columns, key } = value;
    if (value.format === "csv" && value.write !== undefined && columns === undefined) {
      context.addIssue({ code: "custom", path: ["columns"], message: "are needed to write CSV" });
    }
    if (value.format === "csv" && !value.header && columns === undefined) {
      context.addIssue({ code: "custom", path: ["columns"], message: "are needed for CSV without a header line" });
    }
    const missing = columns === undefined ? [] : key.filter((name) => !columns.includes(name));
    if (missing.length > 0) {
      context.addIssue({ code: "custom", path: ["key"], message: `is not among the columns: ${missing.join(", ")}` });
    }
  });

/** Configuration of a folder with files. */
export const fileConfig = z.object({
  folder: z
    .string()
    .max(1_000)
    .regex(/^(?:\/|[A-Za-z]:[/\\])/u, "is an absolute path")
    .describe("The folder the files are in. Nothing outside it is touched, by no path and no symbolic link."),
  streams: z
    .array(stream)
    .min(1)
    .max(200)
    .refine((streams) => new Set(streams.map((one) => one.name)).size === streams.length, {
      message: "has two streams of one name",
    }),
});

/** A folder needs no secrets. */
export const fileSecrets = z.object({});

export type FileConfig = z.output<typeof fileConfig>;
export type FileStream = FileConfig["streams"][number];
