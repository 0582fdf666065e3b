import {
  must,
  operationsOf,
  rejected,
  rejectedAs,
  show,
  withFilledBench,
  type ConformanceCase,
  type Operation,
  type SuiteCases,
} from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";
import { startFaultServer } from "../fault-server.js";
import { writeAll } from "./write.js";

/** Requests go where the configuration says and nowhere else, and answers have a limit. */
export function egressCases<T>(subject: Subject<T>): SuiteCases {
  if (subject.options.server.faults !== "http") return { skipped: "the system does not speak HTTP" };
  const cases = operationsOf(subject).flatMap((operation) => [
    throughFetch(subject, operation),
    redirected(subject, operation),
    tooLarge(subject, operation, "huge-body"),
    tooLarge(subject, operation, "gzip-bomb"),
  ]);
  return subject.options.write === undefined || subject.connector.write === undefined ? cases : [...cases, writesThroughFetch(subject)];
}

function throughFetch<T>(subject: Subject<T>, { name, run }: Operation): ConformanceCase {
  const work = (): Promise<void> =>
    withFilledBench(subject, async ({ running, context }) => {
      const x = await context();
      await run(x);
      mustGoThrough(name, running.faults?.seen.length ?? 0, x.requests.length);
    });
  return { suite: "egress", name: `egress: ${name} asks through x.fetch only`, run: work };
}

function writesThroughFetch<T>(subject: Subject<T>): ConformanceCase {
  const work = (): Promise<void> =>
    withFilledBench(subject, async ({ running, context }) => {
      const x = await context();
      const { write } = subject.options;
      if (write !== undefined) await writeAll(subject, x, [write.item(1)]);
      mustGoThrough("write", running.faults?.seen.length ?? 0, x.requests.length);
    });
  return { suite: "egress", name: "egress: write asks through x.fetch only", run: work };
}

function mustGoThrough(name: string, seen: number, sent: number): void {
  must(
    seen <= sent,
    `${name} sent ${seen} requests, ${sent} of them through x.fetch: only that is limited, counted and kept to the allowed origins.`,
  );
}

function redirected<T>(subject: Subject<T>, { name, run }: Operation): ConformanceCase {
  const work = async (): Promise<void> => {
    const elsewhere = await startFaultServer(() => ({ json: {} }));
    try {
      await withFilledBench(subject, async ({ running, context }) => {
        const x = await context();
        await run(x);
        if (x.requests.length === 0) return;
        running.faults?.inject({ kind: "redirect", to: `${elsewhere.url}/taken` });
        const error = await rejected(`${name}, redirected to another origin,`, run(await context()));
        must(
          elsewhere.seen.length === 0,
          `${name} followed a redirect to another origin, with the headers ${show(Object.keys(elsewhere.seen[0]?.headers ?? {}))}.`,
        );
        must(error.kind !== "bug", `${name}, redirected to another origin, failed as a bug: ${error.message}`);
      });
    } finally {
      await elsewhere.stop();
    }
  };
  return { suite: "egress", name: `egress: ${name} does not follow a redirect to another origin`, run: work };
}

function tooLarge<T>(subject: Subject<T>, operation: Operation, kind: "huge-body" | "gzip-bomb"): ConformanceCase {
  const { name, run, readsBody } = operation;
  const what = kind === "huge-body" ? "an answer of 12 MiB" : "64 MiB packed into 64 KiB";
  const work = (): Promise<void> =>
    withFilledBench(subject, async ({ running, context }) => {
      const clean = await context();
      await run(clean);
      if (clean.requests.length === 0) return;
      running.faults?.inject({ kind });
      const outcome = run(await context());
      // Who does not read a body cannot be flooded by it.
      if (!readsBody && (await outcome.then(() => true).catch(() => false))) return;
      await rejectedAs(`${name}, answered with ${what},`, ["contract"], outcome);
    });
  return { suite: "egress", name: `egress: ${name} refuses ${what}`, run: work };
}
