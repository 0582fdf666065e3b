import { networkError } from "./network-error.js";

/**
 * The body of an answer as text. An answer that breaks off is `unavailable`, one that was stopped by `signal` `cancelled`;
 * `response.text()` alone would throw a bare TypeError, which counts as a bug.
 */
export async function readText(response: Response, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (thrown) {
    throw networkError(thrown, URL.canParse(response.url) ? new URL(response.url).host : "the system", signal);
  }
}
