import type { ConnectorFetch } from "@quiesce/sdk";
import { describe, expect, it } from "vitest";
import { createRequestDelays } from "./traffic/request-delays.js";

const endpoint = { id: 1, key: "shop-api" };
const never = new AbortController().signal;

/** Answers in this order, then with plain ones. */
function answering(...answers: readonly { readonly status?: number; readonly headers: Record<string, string> }[]) {
  const left = [...answers];
  const begunAt: number[] = [];
  const fetch: ConnectorFetch = async () => {
    begunAt.push(performance.now());
    const { status = 200, headers = {} } = left.shift() ?? {};
    return new Response(null, { status, headers });
  };
  return { fetch, begunAt };
}

describe("an answer that asks for a delay", () => {
  it.each([
    ["refused, by Retry-After", { status: 429, headers: { "retry-after": "1.5" } }],
    ["the last that is allowed, by its reset", { headers: { "ratelimit-remaining": "0", "ratelimit-reset": "1.5" } }],
    ["the last, in the older names", { headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1.5" } }],
  ])("%s: the endpoint's next request waits for it, another endpoint's does not", async (_what, answer) => {
    const delays = createRequestDelays();
    const { fetch, begunAt } = answering(answer);
    const own = delays.heeding(fetch, endpoint, never);
    await own("http://shop.example/");
    // Asked first, begun last.
    const again = own("http://shop.example/");
    await delays.heeding(fetch, { id: 2, key: "other" }, never)("http://other.example/");
    expect(begunAt).toHaveLength(2);
    await again;
    const [first = 0, , second = 0] = begunAt;
    expect(second - first).toBeGreaterThan(1_490);
  });

  it("for longer than a minute is an error, so that the run is put off", async () => {
    const { fetch } = answering({ status: 429, headers: { "retry-after": "90" } });
    const own = createRequestDelays().heeding(fetch, endpoint, never);
    await own("http://shop.example/");
    await expect(own("http://shop.example/")).rejects.toMatchObject({
      kind: "rate_limited",
      info: { retryAfterMs: expect.closeTo(90_000, -4) },
    });
  });

  it("is not one that allows more, and waiting ends with the call", async () => {
    const stop = new AbortController();
    const { fetch, begunAt } = answering(
      { headers: { "ratelimit-remaining": "7", "ratelimit-reset": "30" } },
      { status: 503, headers: {} },
      { status: 429, headers: { "retry-after": "30" } },
    );
    const own = createRequestDelays().heeding(fetch, endpoint, stop.signal);
    for (let n = 0; n < 3; n += 1) await own("http://shop.example/");
    expect(begunAt).toHaveLength(3);
    setTimeout(() => stop.abort(), 20);
    await expect(own("http://shop.example/")).rejects.toMatchObject({ kind: "cancelled" });
  });
});
