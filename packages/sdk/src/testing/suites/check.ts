import type { ErrorKind } from "../../index.js";
import {
  must,
  neededSecrets,
  operationsOf,
  rejectedAs,
  show,
  withFilledBench,
  type Bench,
  type ConformanceCase,
  type Operation,
  type SuiteCases,
} from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";
import type { FakeAnswer, Fault } from "../fault-server.js";

const CLOSED_PORT_MS = 10_000;
const SHORT_TIMEOUT_MS = 300;
const RETRY_AFTER_SECONDS = 7;

/** What an answer, or none, must count as. */
interface Expectation {
  readonly name: string;
  readonly fault: Fault;
  readonly kinds: readonly ErrorKind[];
  /** Only where the body is read: who does not look at it cannot see what is wrong with it. */
  readonly inBody?: boolean;
}

const status = (code: number, more: FakeAnswer = {}): Fault => ({ kind: "answer", answer: { status: code, text: "no", ...more } });

const EXPECTATIONS: readonly Expectation[] = [
  { name: "401 is auth", fault: status(401), kinds: ["auth"] },
  { name: "403 is permission", fault: status(403), kinds: ["permission"] },
  { name: "429 is rate_limited", fault: status(429), kinds: ["rate_limited"] },
  { name: "500 may be tried again", fault: status(500), kinds: ["transient", "unavailable"] },
  { name: "502 is unavailable", fault: status(502), kinds: ["unavailable"] },
  { name: "503 is unavailable", fault: status(503), kinds: ["unavailable"] },
  { name: "504 is timeout or unavailable", fault: status(504), kinds: ["timeout", "unavailable"] },
  { name: "a connection that is cut is unavailable", fault: { kind: "reset" }, kinds: ["unavailable"] },
  { name: "no answer in time is timeout", fault: { kind: "black-hole" }, kinds: ["timeout"] },
  { name: "a page for people instead of JSON is contract", fault: { kind: "html" }, kinds: ["contract"] },
  { name: "an answer that breaks off is unavailable", fault: { kind: "truncated" }, kinds: ["unavailable", "contract"], inBody: true },
  { name: "an answer that never ends is timeout", fault: { kind: "slow-loris" }, kinds: ["timeout"], inBody: true },
  {
    name: "JSON of another shape is contract",
    fault: { kind: "answer", answer: { json: { unexpected: [1] } } },
    kinds: ["contract", "config"],
    inBody: true,
  },
];

/** Is the system up, and does every call say what went wrong if it is not? */
export function checkCases<T>(subject: Subject<T>): SuiteCases {
  const operations = operationsOf(subject);
  if (operations.length === 0) return { skipped: "the connector has nothing that only looks" };
  return [...healthCases(subject), ...secretCases(subject), ...faultCases(subject, operations), ...bodyErrorCases(subject, operations)];
}

function healthCases<T>(subject: Subject<T>): readonly ConformanceCase[] {
  const { connector } = subject;
  if (connector.check === undefined) return [];
  const run = (): Promise<void> =>
    withFilledBench(subject, async ({ context }) => {
      const health = await connector.check?.(await context());
      must(health?.status === "up", `check of a system that runs answered ${show(health)}, expected status up.`);
      for (const { name, value } of health.kpis ?? [])
        must(Number.isFinite(value), `check gave the figure ${name} the value ${show(value)}, expected a number.`);
    });
  return [{ suite: "check", name: "check: a system that runs is up", run }];
}

function secretCases<T>(subject: Subject<T>): readonly ConformanceCase[] {
  const { secrets } = subject.options;
  if (Object.keys(secrets.valid).length === 0) return [];
  return operationsOf(subject)
    .filter(({ name }) => name === "check" || name === "read" || name === "alerts.pull")
    .map(({ name, run }) => ({
      suite: "check",
      name: `check: ${name} with wrong secrets is auth`,
      run: () =>
        withFilledBench(subject, async ({ context }) => {
          const wrong = neededSecrets(subject, "wrong", "secrets that the system refuses show that the connector notices");
          await rejectedAs(`${name} with wrong secrets`, ["auth"], run(await context({ secrets: wrong })));
        }),
    }));
}

function faultCases<T>(subject: Subject<T>, operations: readonly Operation[]): readonly ConformanceCase[] {
  const { faults } = subject.options.server;
  if (faults === "none") return [];
  return operations.flatMap((operation) => [
    closedPort(subject, operation),
    ...(faults === "http" ? httpFaults(subject, operation) : tcpFaults(subject, operation)),
  ]);
}

function closedPort<T>(subject: Subject<T>, operation: Operation): ConformanceCase {
  const name = `check: ${operation.name} at a closed port is unavailable`;
  const run = (): Promise<void> =>
    withFilledBench(subject, async (bench) => {
      if (!(await asks(bench, operation))) return;
      const x = await bench.context();
      await (bench.running.faults ?? bench.running.proxy)?.stop();
      const begun = Date.now();
      await rejectedAs(`${operation.name} at a closed port`, ["unavailable"], operation.run(x));
      must(
        Date.now() - begun < CLOSED_PORT_MS,
        `${operation.name} at a closed port took ${Date.now() - begun} ms, at most ${CLOSED_PORT_MS}.`,
      );
    });
  return { suite: "check", name, run };
}

function httpFaults<T>(subject: Subject<T>, operation: Operation): readonly ConformanceCase[] {
  const cases = EXPECTATIONS.map(({ name, fault, kinds, inBody }): ConformanceCase => ({
    suite: "check",
    name: `check: ${operation.name}: ${name}`,
    run: () =>
      withFilledBench(subject, async (bench) => {
        if (!(await asks(bench, operation))) return;
        bench.running.faults?.inject(fault);
        const waits = fault.kind === "black-hole" || fault.kind === "slow-loris";
        const work = operation.run(await bench.context(waits ? { requestTimeoutMs: SHORT_TIMEOUT_MS } : {}));
        if (inBody === true && !operation.readsBody && (await work.then(() => true).catch(() => false))) return;
        await rejectedAs(`${operation.name}, when ${name},`, kinds, work);
      }),
  }));
  return [...cases, retryAfter(subject, operation)];
}

function retryAfter<T>(subject: Subject<T>, operation: Operation): ConformanceCase {
  const run = (): Promise<void> =>
    withFilledBench(subject, async (bench) => {
      if (!(await asks(bench, operation))) return;
      bench.running.faults?.inject(status(503, { headers: { "retry-after": String(RETRY_AFTER_SECONDS) } }));
      const error = await rejectedAs(`${operation.name} at 503`, ["unavailable"], operation.run(await bench.context()));
      must(
        error.info.retryAfterMs === RETRY_AFTER_SECONDS * 1000,
        `${operation.name} at 503 with Retry-After: ${RETRY_AFTER_SECONDS} says retryAfterMs ${show(error.info.retryAfterMs)}, expected ${RETRY_AFTER_SECONDS * 1000}.`,
      );
    });
  return { suite: "check", name: `check: ${operation.name}: 503 with Retry-After says for how long`, run };
}

function tcpFaults<T>(subject: Subject<T>, operation: Operation): readonly ConformanceCase[] {
  const one = (name: string, work: (bench: Bench<T>) => Promise<void>): ConformanceCase => ({
    suite: "check",
    name: `check: ${operation.name}: ${name}`,
    run: () => withFilledBench(subject, async (bench) => void ((await asks(bench, operation)) && (await work(bench)))),
  });
  return [
    one("a connection that is cut at once is unavailable", async ({ running, context }) => {
      running.proxy?.inject({ kind: "reset" });
      await rejectedAs(operation.name, ["unavailable"], operation.run(await context()));
    }),
    one("no answer in time is timeout", async ({ running, context }) => {
      running.proxy?.inject({ kind: "black-hole" });
      await rejectedAs(`${operation.name} without an answer`, ["timeout"], operation.run(await context()));
    }),
    one("a connection that is cut anywhere is unavailable", async ({ running, context }) => {
      running.proxy?.clear();
      await operation.run(await context());
      const bytes = running.proxy?.answerBytes ?? 0;
      for (const part of [0, 0.1, 0.25, 0.5, 0.75, 0.9]) {
        const afterBytes = Math.floor(bytes * part);
        running.proxy?.inject({ kind: "cut", afterBytes, how: "reset" });
        const what = `${operation.name}, cut after ${afterBytes} of ${bytes} bytes,`;
        await rejectedAs(what, ["unavailable", "timeout", "contract"], operation.run(await context()));
      }
    }),
  ];
}

function bodyErrorCases<T>(subject: Subject<T>, operations: readonly Operation[]): readonly ConformanceCase[] {
  const { bodyErrors = [], server } = subject.options;
  if (server.faults !== "http") return [];
  return bodyErrors.flatMap(({ answer, kind }, index) =>
    operations.map((operation): ConformanceCase => ({
      suite: "check",
      name: `check: ${operation.name}: an error in the body is what it says (${index + 1}, ${kind})`,
      run: () =>
        withFilledBench(subject, async (bench) => {
          if (!(await asks(bench, operation))) return;
          bench.running.faults?.inject({ kind: "answer", answer });
          await rejectedAs(`${operation.name}, answered with ${show(answer)},`, [kind], operation.run(await bench.context()));
        }),
    })),
  );
}

/** Whether the operation asks the system at all: streams may stand in the configuration. */
async function asks<T>({ running, context }: Bench<T>, operation: Operation): Promise<boolean> {
  const before = running.faults?.seen.length ?? 0;
  running.proxy?.clear();
  await operation.run(await context());
  return (running.faults?.seen.length ?? 0) > before || (running.proxy?.answerBytes ?? 0) > 0;
}
