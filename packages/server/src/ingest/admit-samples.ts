import { DomainError } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { waitingStretches } from "./store-samples.js";

/** Requests with samples that this server reads at once: each may fill two transactions. */
const mostRequests = 4;
/** With more stretches to sum up than this the sums would be minutes old. */
const mostWaiting = 200_000;
const busySeconds = 1;
const behindSeconds = 10;

const underWay = new WeakMap<Database, { requests: number }>();

/**
 * Lets a request with samples in, or refuses it before its body is read. Throws QSC_SAMPLES_BUSY with the seconds after which to come back. The answer
 * is called when the request has ended.
 */
export async function admitSamples(database: Database): Promise<() => void> {
  const state = underWay.get(database) ?? { requests: 0 };
  underWay.set(database, state);
  if (state.requests >= mostRequests)
    throw busy(
      `${mostRequests} requests with samples are under way on this server. Send fewer at once, each with more lines.`,
      busySeconds,
    );
  state.requests += 1;
  const leave = () => {
    state.requests -= 1;
  };
  try {
    if ((await waitingStretches(database.db, mostWaiting)) > mostWaiting)
      throw busy(`More than ${mostWaiting} stretches of samples wait to be summed up.`, behindSeconds);
    return leave;
  } catch (error) {
    leave();
    throw error;
  }
}

function busy(why: string, retryAfterSeconds: number): DomainError {
  return new DomainError("QSC_SAMPLES_BUSY", `${why} Nothing of this request was taken; try again in ${retryAfterSeconds} s.`, {
    details: { retryAfterSeconds },
  });
}
