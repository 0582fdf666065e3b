import { CANCEL_MS, outOfPatience } from "../../packages/sdk/src/testing/patience.js";

/** What `work` answers, if it ends within the time of a stop: 250 ms in which this process had its turns, however busy the machine is. */
export async function inTime<T>(work: Promise<T>): Promise<T> {
  const patience = outOfPatience();
  try {
    const late = patience.late.then(() => {
      throw new Error(`It went on for more than ${CANCEL_MS} ms after it was told to stop.`);
    });
    return await Promise.race([work, late]);
  } finally {
    patience.end();
  }
}
