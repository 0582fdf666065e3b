import type { Context } from "../../index.js";
import {
  ConformanceFailure,
  must,
  operationsOf,
  rejectedAs,
  withFilledBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";
import { watchHandles } from "../live-handles.js";
import { CANCEL_MS, outOfPatience } from "../patience.js";
import { writeAll } from "./write.js";

/** At most so many requests of one call are held, each in turn. */
const MAX_HELD = 10;
const CUT_AT = [0, 0.25, 0.5, 0.75];

interface Stoppable {
  readonly name: string;
  readonly run: (x: Context) => Promise<unknown>;
}

/** A call that is told to stop does so at once, wherever it waits, and leaves nothing behind. */
export function cancelCases<T>(subject: Subject<T>): SuiteCases {
  const all = stoppables(subject);
  if (all.length === 0) return { skipped: "the connector has nothing to call" };
  const { faults } = subject.options.server;
  return all.flatMap((call) => [
    beforehand(subject, call),
    ...(faults === "http" ? [held(subject, call, "black-hole"), held(subject, call, "slow-loris")] : []),
    ...(faults === "tcp" ? [stalled(subject, call)] : []),
    tidy(subject, call),
  ]);
}

function stoppables<T>(subject: Subject<T>): readonly Stoppable[] {
  const { write } = subject.options;
  if (write === undefined || subject.connector.write === undefined) return operationsOf(subject);
  const run = async (x: Context): Promise<void> => {
    const results = await writeAll(subject, x, [write.item(1)]);
    const bad = results.find((result) => !result.ok);
    // Seen from here an answer for the one record is as good as a rejection.
    if (bad?.ok === false) throw Object.assign(new Error(bad.error.message), { quiesceError: 1, kind: bad.error.kind, info: {} });
  };
  return [...operationsOf(subject), { name: "write", run }];
}

function beforehand<T>(subject: Subject<T>, { name, run }: Stoppable): ConformanceCase {
  const work = (): Promise<void> =>
    withFilledBench(subject, async ({ running, context }) => {
      const x = await context({ signal: AbortSignal.abort({ why: "window" }) });
      running.proxy?.clear();
      const outcome = run(x);
      const done = await outcome.then(() => true).catch(() => false);
      const asked = (running.faults?.seen.length ?? 0) + (running.proxy?.answerBytes ?? 0);
      must(asked === 0, `${name} asked the system although it had been told to stop before it was called.`);
      // What stands in the configuration may be told at any time.
      if (done && name !== "read" && name !== "write") return;
      await rejectedAs(`${name} that was told to stop before it was called`, ["cancelled"], outcome);
    });
  return { suite: "cancel", name: `cancel: ${name} that is stopped before it begins asks nothing`, run: work };
}

function held<T>(subject: Subject<T>, call: Stoppable, kind: "black-hole" | "slow-loris"): ConformanceCase {
  const where = kind === "black-hole" ? "before any answer" : "in the middle of an answer";
  const work = async (): Promise<void> => {
    const watch = watchHandles();
    const count = await requestsOf(subject, call);
    for (let index = 0; index < Math.min(count, MAX_HELD); index += 1)
      await withFilledBench(subject, async (bench) => {
        bench.running.faults?.inject({ kind }, (_request, at) => at === index);
        await stopped(bench, call, `request ${index + 1} of ${count}, ${where}`, async () => bench.running.faults?.met());
      });
    await watch.settle(`${call.name} that was stopped ${where}`);
  };
  return { suite: "cancel", name: `cancel: ${call.name} that is stopped ${where} ends at once`, run: work };
}

function stalled<T>(subject: Subject<T>, call: Stoppable): ConformanceCase {
  const work = async (): Promise<void> => {
    const watch = watchHandles();
    let bytes = 0;
    await withFilledBench(subject, async ({ running, context }) => {
      await call.run(await context());
      bytes = running.proxy?.answerBytes ?? 0;
    });
    if (bytes === 0) return watch.settle(call.name);
    for (const part of CUT_AT)
      await withFilledBench(subject, async (bench) => {
        const afterBytes = Math.floor(bytes * part);
        bench.running.proxy?.inject({ kind: "cut", afterBytes, how: "stall" });
        await stopped(bench, call, `after ${afterBytes} of ${bytes} bytes`, async () => bench.running.proxy?.met());
      });
    await watch.settle(`${call.name} that was stopped`);
  };
  return { suite: "cancel", name: `cancel: ${call.name} that is stopped while the system is silent ends at once`, run: work };
}

async function stopped<T>(bench: Bench<T>, { name, run }: Stoppable, where: string, met: () => Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  const outcome = run(await bench.context({ signal: stop.signal }));
  const ended = outcome.then(() => "done" as const).catch(() => "failed" as const);
  const first = await Promise.race([ended, met().then(() => "held" as const)]);
  // It did not wait for what was held, such as a body that it does not read.
  if (first === "done") return;
  stop.abort({ why: "window" });
  const patience = outOfPatience();
  const end = await Promise.race([ended, patience.late]);
  patience.end();
  if (end === "late")
    throw new ConformanceFailure(`${name}, stopped at ${where}, goes on after ${CANCEL_MS} ms. Pass x.signal to everything that waits.`);
  await rejectedAs(`${name}, stopped at ${where},`, ["cancelled"], outcome);
}

function tidy<T>(subject: Subject<T>, { name, run }: Stoppable): ConformanceCase {
  const work = async (): Promise<void> => {
    const watch = watchHandles();
    await withFilledBench(subject, async ({ context }) => {
      await run(await context());
    });
    await watch.settle(name);
  };
  return { suite: "cancel", name: `cancel: ${name} leaves nothing open when it has ended`, run: work };
}

async function requestsOf<T>(subject: Subject<T>, { run }: Stoppable): Promise<number> {
  let count = 0;
  await withFilledBench(subject, async ({ running, context }) => {
    await run(await context());
    count = running.faults?.seen.length ?? 0;
  });
  return count;
}
