import type { Quota } from "../../index.js";
import { must, optionsMissing, show, withBench, type Bench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { QuotaOptions, Subject } from "../conformance-options.js";
import { isInstant } from "../instant.js";

const ROUNDS = 3;
const USED_ELSEWHERE = 2;

interface Metering<T> extends Bench<T> {
  readonly options: QuotaOptions<T>;
  readonly ask: () => Promise<Quota>;
}

/** What is left of an allowance is told, and telling it costs nothing. */
export function quotaCases<T>(subject: Subject<T>): SuiteCases {
  const { connector } = subject;
  if (connector.quota === undefined) return { skipped: "the connector knows no allowance" };
  const { quota: options } = subject.options;
  if (options === undefined) return optionsMissing("quota", "with nothing in it the figures are looked at, with `use` whether they follow");
  const one = (name: string, work: (metering: Metering<T>) => Promise<void>): ConformanceCase => ({
    suite: "quota",
    name: `quota: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        const ask = async (): Promise<Quota> => {
          const found = await connector.quota?.(await bench.context(options.clock === "real" ? { now: new Date() } : {}));
          must(found !== undefined, "quota says that the system has no allowance: give a configuration with which it has one.");
          return found;
        };
        await work({ ...bench, options, ask });
      }),
  });
  return [
    one("what is left is told whole", tellsWhole),
    one("to ask uses nothing up", usesNothing),
    ...(options.use === undefined
      ? []
      : [one("what others use is gone from it", followsUse), one("nothing left is 0, and no error", tellsNothingLeft)]),
  ];
}

async function tellsWhole<T>({ ask, options, context }: Metering<T>): Promise<void> {
  const { limit, remaining, resetsAt } = await ask();
  must(Number.isInteger(limit) && limit > 0, `quota has the limit ${show(limit)}, expected a whole number above 0.`);
  must(
    Number.isInteger(remaining) && remaining >= 0 && remaining <= limit,
    `quota has ${show(remaining)} remaining of ${limit}, expected a whole number from 0 to ${limit}.`,
  );
  must(isInstant(resetsAt), `quota has resetsAt ${show(resetsAt)}, expected ISO 8601 with an offset.`);
  const now = options.clock === "real" ? Date.now() : (await context()).clock.now().getTime();
  must(Date.parse(resetsAt) >= now, `quota has resetsAt ${resetsAt}, which is over: ${new Date(now).toISOString()} is now.`);
}

async function usesNothing<T>({ ask }: Metering<T>): Promise<void> {
  const left: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) left.push((await ask()).remaining);
  must(new Set(left).size === 1, `Asked ${ROUNDS} times, quota had ${show(left)} remaining: to ask must use nothing up.`);
}

async function followsUse<T>({ ask, options, system }: Metering<T>): Promise<void> {
  const before = await ask();
  await options.use?.(system, USED_ELSEWHERE);
  const after = await ask();
  must(
    after.remaining === before.remaining - USED_ELSEWHERE,
    `${USED_ELSEWHERE} of ${before.remaining} requests were used, and quota has ${after.remaining} remaining.`,
  );
}

async function tellsNothingLeft<T>({ ask, options, system }: Metering<T>): Promise<void> {
  await options.use?.(system, (await ask()).remaining);
  const { remaining } = await ask();
  must(remaining === 0, `All requests were used, and quota has ${show(remaining)} remaining.`);
}
