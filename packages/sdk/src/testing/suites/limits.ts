import { must, operationsOf, rejectedAs, show, withFilledBench, type ConformanceCase, type SuiteCases } from "../conformance-case.js";
import type { Subject } from "../conformance-options.js";
import type { FakeAnswer } from "../fault-server.js";
import { TEST_NOW } from "../test-context.js";
import { writeAll } from "./write.js";

const at = (seconds: number): Date => new Date(TEST_NOW.getTime() + seconds * 1000);

/** The ways in which systems say for how long. */
const FORMS: readonly { readonly header: string; readonly value: string; readonly delayMs: number }[] = [
  { header: "retry-after", value: "17", delayMs: 17_000 },
  { header: "retry-after", value: at(42).toUTCString(), delayMs: 42_000 },
  { header: "ratelimit-reset", value: "9", delayMs: 9_000 },
  { header: "x-ratelimit-reset", value: String(at(60).getTime() / 1000), delayMs: 60_000 },
  { header: "x-ratelimit-reset", value: at(90).toISOString(), delayMs: 90_000 },
];

/** Being asked to slow down is understood, in all its forms. */
export function limitsCases<T>(subject: Subject<T>): SuiteCases {
  const { options, connector } = subject;
  if (options.server.faults !== "http") return { skipped: "the system does not speak HTTP" };
  const looking = FORMS.flatMap((form) =>
    operationsOf(subject).map(({ name, run }): ConformanceCase => ({
      suite: "limits",
      name: `limits: ${name}: 429 with ${form.header}: ${form.value}`,
      run: () =>
        withFilledBench(subject, async ({ running, context }) => {
          await run(await context());
          if (running.faults?.seen.length === 0) return;
          running.faults?.inject({ kind: "answer", answer: answerOf(form) });
          const error = await rejectedAs(`${name} at 429`, ["rate_limited"], run(await context()));
          mustSay(name, form, error.info.retryAfterMs);
        }),
    })),
  );
  if (connector.write === undefined || options.write === undefined) return looking;
  return [...looking, slowedWrite(subject)];
}

function slowedWrite<T>(subject: Subject<T>): ConformanceCase {
  const run = (): Promise<void> =>
    withFilledBench(subject, async ({ running, context }) => {
      const [form] = FORMS;
      const { write } = subject.options;
      if (form === undefined || write === undefined) return;
      running.faults?.inject({ kind: "answer", answer: answerOf(form) });
      const outcome = writeAll(subject, await context(), [write.item(1), write.item(2)]);
      const results = await outcome.catch(() => undefined);
      if (results === undefined) {
        const error = await rejectedAs("write at 429", ["rate_limited"], outcome);
        return mustSay("write", form, error.info.retryAfterMs);
      }
      for (const result of results) {
        must(!result.ok && result.error.kind === "rate_limited", `write at 429 was answered with ${show(result)}, expected rate_limited.`);
        must(
          result.error.ambiguous !== true,
          `write at 429 says that the record ${result.key} may have been applied; 429 says that it was not.`,
        );
        mustSay("write", form, result.error.retryAfterMs);
      }
    });
  return { suite: "limits", name: "limits: write: 429 says for how long, and leaves nothing in doubt", run };
}

function answerOf({ header, value }: (typeof FORMS)[number]): FakeAnswer {
  return { status: 429, headers: { [header]: value }, text: "slow down" };
}

function mustSay(name: string, { header, value, delayMs }: (typeof FORMS)[number], found: number | undefined): void {
  must(
    found === delayMs,
    `${name} at 429 with ${header}: ${value} says retryAfterMs ${show(found)}, expected ${delayMs}. retryAfterMs(headers, x.clock.now()) reads all forms.`,
  );
}
