import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Connection } from "../cli.js";
import { notUnderstood, refusal, send } from "../graphql-client.js";

const REQUEST_MS = 60_000;
/** A server that is still busy after so many tries is not waited for any longer. */
const MOST_TRIES = 30;
const LONGEST_WAIT_SECONDS = 60;
/** A server tells so many refusals of one request. */
const TOLD = 100;

const answerSchema = z.looseObject({
  accepted: z.number(),
  duplicates: z.number(),
  marked: z.number(),
  refused: z.number(),
  refusals: z.array(z.looseObject({ line: z.number(), code: z.string(), message: z.string() })),
});
export type SamplesAnswer = z.infer<typeof answerSchema>;

const errorSchema = z.looseObject({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    field: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** Where samples go, and how. */
export interface SampleWay {
  readonly connection: Connection;
  /** The server says what it would take, and writes nothing. */
  readonly isTrial: boolean;
  /** Told before a wait for a busy server. */
  readonly onBusy: (seconds: number) => void;
}

/**
 * Sends samples in one request, again while the server is busy. The same samples sent again are none more. Throws CliError: unreachable, denied or refused as a
 * whole.
 */
export async function sendSamples(way: SampleWay, samples: readonly object[]): Promise<SamplesAnswer> {
  const lines = samples.map((one) => `${JSON.stringify(one)}\n`).join("");
  const { connection } = way;
  for (let tries = 1; ; tries += 1) {
    const { status, json } = await send(connection, `/ingest/samples${way.isTrial ? "?trial=true" : ""}`, { lines, timeoutMs: REQUEST_MS });
    const refused = errorSchema.safeParse(json);
    if (!refused.success) {
      const answer = answerSchema.safeParse(json);
      if (!answer.success) throw notUnderstood(connection, answer.error);
      return answer.data;
    }
    const { code, message, field, details } = refused.data.error;
    const seconds = status === 429 ? Number(details?.["retryAfterSeconds"] ?? Number.NaN) : Number.NaN;
    if (!Number.isFinite(seconds) || seconds > LONGEST_WAIT_SECONDS || tries === MOST_TRIES)
      throw refusal({ code, message, field, details, status, connection });
    way.onBusy(seconds);
    await sleep(seconds * 1_000);
  }
}

/** The refusals of a request that the server counted and did not tell one by one: it is asked about as few lines at a time as it tells of. */
export async function untoldRefusals(
  way: SampleWay,
  of: { readonly samples: readonly object[]; readonly answer: SamplesAnswer; readonly most: number },
): Promise<SamplesAnswer["refusals"]> {
  const { samples, answer, most } = of;
  const lastTold = answer.refusals.at(-1)?.line ?? 0;
  const found: SamplesAnswer["refusals"] = [];
  for (
    let begin = lastTold;
    begin < samples.length && found.length < most && answer.refused > answer.refusals.length + found.length;
    begin += TOLD
  ) {
    const { refusals } = await sendSamples({ ...way, isTrial: true }, samples.slice(begin, begin + TOLD));
    found.push(...refusals.map((one) => ({ ...one, line: begin + one.line })));
  }
  return found.slice(0, most);
}
