import { z } from "@quiesce/sdk";

/** How a stream of messages is turned into records and back: the settings that every broker's streams share. */
export const messageFields = {
  payload: z
    .enum(["json", "text", "bytes"])
    .default("json")
    .describe(
      "json: a message is an object, whose members are the record's. text and bytes (as base64): it is the record's member `value`.",
    ),
  keyFields: z
    .array(z.string().min(1).max(100))
    .min(1)
    .max(10)
    .optional()
    .describe("Members of the payload that identify a record. Absent: the header quiesce-key, or else the message's own id."),
};

/** How messages are turned into records. */
export interface MessageSettings {
  readonly payload: "json" | "text" | "bytes";
  readonly keyFields?: readonly string[] | undefined;
}

/** What a repeated write does, where the broker itself does not know repetitions. */
export const repeatsField = z
  .enum(["in-doubt", "recognised"])
  .default("in-doubt")
  .describe(
    "What is done with a message whose fate is unknown. in-doubt: it goes to review and is not sent again. recognised: it is sent again, because all who receive it know a repetition by the message's id.",
  );

/** Headers that say of a message what a record says; a stream that was written by Quiesce is read with the same keys and deletions. */
export const KEY_HEADER = "quiesce-key";
export const OPERATION_HEADER = "quiesce-op";
