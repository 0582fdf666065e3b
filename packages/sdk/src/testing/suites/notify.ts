import { isConnectorError, type ErrorKind, type NotifyMessage } from "../../index.js";
import {
  ConformanceFailure,
  must,
  neededSecrets,
  optionsMissing,
  rejectedAs,
  show,
  withBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { NotifyOptions, ShownMessage, Subject } from "../conformance-options.js";
import type { TestContext } from "../test-context.js";

const RETRY_AFTER_SECONDS = 7;
/** Markup, quotes, two lines and letters of several alphabets: people must see them as they were written. */
const BODY = 'Orders <b>wait</b> & "drain"; año 2\nНачало в 8:00, 開始';
const REFUSALS: readonly { readonly status: number; readonly kind: ErrorKind }[] = [
  { status: 401, kind: "auth" },
  { status: 403, kind: "permission" },
  { status: 429, kind: "rate_limited" },
  { status: 503, kind: "unavailable" },
];

interface Telling<T> extends Bench<T> {
  readonly subject: Subject<T>;
  readonly options: NotifyOptions<T>;
  readonly shown: () => Promise<readonly ShownMessage[]>;
  readonly send: (given: {
    readonly key: string;
    readonly thread?: string;
    readonly x?: TestContext;
    readonly to?: string;
  }) => Promise<string>;
}

/** A message arrives as it was written, and once. */
export function notifyCases<T>(subject: Subject<T>): SuiteCases {
  const { connector } = subject;
  if (connector.notify === undefined) return { skipped: "the connector tells nobody" };
  const { notify: options } = subject.options;
  if (options === undefined) return optionsMissing("notify", "it says which messages people see at the system");
  const one = (name: string, work: (telling: Telling<T>) => Promise<void>): ConformanceCase => ({
    suite: "notify",
    name: `notify: ${name}`,
    run: () =>
      withBench(subject, async (bench) => {
        const send: Telling<T>["send"] = async ({ key, thread = "incident-1", x, to = options.to }) => {
          const message: NotifyMessage = {
            title: "The ERP does not answer",
            body: BODY,
            severity: "major",
            threadKey: thread,
            ...(to === undefined ? {} : { to }),
          };
          const told = await connector.notify?.(x ?? (await bench.context()), message, { idempotencyKey: key });
          return told?.id ?? "";
        };
        await work({ ...bench, subject, options, shown: async () => options.shown(bench.system), send });
      }),
  });
  const { faults } = subject.options.server;
  return [
    one("a message arrives as it was written", arrives),
    one("sent twice with one key, it is one message with one id", sendsOnce),
    one("two keys are two messages, though they say the same", sendsTwo),
    one("messages of one conversation stand together, others apart", keepsThreads),
    ...(faults === "http" ? [one("a message whose answer is lost is not there twice", survivesLostAnswers)] : []),
    ...(faults === "http" ? [one("a refusal is what it is, says for how long, and leaves nothing in doubt", tellsRefusals)] : []),
    ...(subject.options.secrets.wrong === undefined ? [] : [one("wrong secrets are auth, and nobody is told", refusesWrongSecrets)]),
    ...(options.unknownRecipient === undefined ? [] : [one("a recipient that is not there is not_found or invalid", refusesUnknown)]),
  ];
}

async function arrives<T>({ send, shown }: Telling<T>): Promise<void> {
  const id = await send({ key: "message-1" });
  must(id !== "", "notify answered without an id.");
  const found = await shown();
  must(found.length === 1, `One message was sent, people see ${show(found)}.`);
  const text = found[0]?.text ?? "";
  for (const part of ["The ERP does not answer", ...BODY.split("\n")])
    must(text.includes(part), `People see ${show(text)}, expected ${show(part)} in it as it was written.`);
}

async function sendsOnce<T>({ send, shown }: Telling<T>): Promise<void> {
  const ids = [await send({ key: "message-1" }), await send({ key: "message-1" })];
  const found = await shown();
  must(found.length === 1, `One message was sent twice with one idempotency key, and people see ${found.length}.`);
  must(ids[0] === ids[1], `One message has the ids ${show(ids)}.`);
}

async function sendsTwo<T>({ send, shown }: Telling<T>): Promise<void> {
  const ids = [await send({ key: "message-1" }), await send({ key: "message-12" })];
  const found = await shown();
  must(found.length === 2, `Two messages were sent with two idempotency keys, and people see ${found.length}.`);
  must(ids[0] !== ids[1], `Two messages have the same id ${show(ids[0])}.`);
}

async function keepsThreads<T>({ send, shown }: Telling<T>): Promise<void> {
  await send({ key: "message-1", thread: "incident-1" });
  await send({ key: "message-2", thread: "incident-12" });
  await send({ key: "message-3", thread: "incident-1" });
  const [first, second, third] = (await shown()).map(({ thread }) => thread);
  // A system without conversations.
  if (first === undefined) return;
  must(first === third, `Two messages with one threadKey are in the conversations ${show(first)} and ${show(third)}.`);
  must(first !== second, `Messages with different threadKeys are in one conversation, ${show(first)}.`);
}

async function survivesLostAnswers<T>({ send, shown, running }: Telling<T>): Promise<void> {
  for (const kind of ["lost-answer", "truncated", "reset"] as const) {
    const key = `message-${kind}`;
    const before = (await shown()).length;
    running.faults?.inject({ kind }, ({ method }) => method !== "GET");
    const failure: unknown = await send({ key }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    running.faults?.clear();
    const there = (await shown()).length - before;
    if (failure === undefined) {
      must(there === 1, `When the request met ${kind}, notify succeeded, and people see ${there} messages.`);
      continue;
    }
    must(isConnectorError(failure), `When the request met ${kind}, notify threw ${show(failure)}, which counts as a bug.`);
    if (there > 0)
      must(
        failure.info.ambiguous === true,
        `When the request met ${kind}, the message was sent, and notify threw ${failure.kind} ("${failure.message}") without ambiguous: true.`,
      );
    await send({ key });
    const after = (await shown()).length - before;
    must(after === 1, `When the request met ${kind}, and the message was sent again with the same key, people see it ${after} times.`);
  }
}

async function tellsRefusals<T>({ send, shown, running }: Telling<T>): Promise<void> {
  for (const { status, kind } of REFUSALS) {
    const headers = { "retry-after": String(RETRY_AFTER_SECONDS) };
    running.faults?.inject({ kind: "answer", answer: { status, headers, text: "no" } });
    const error = await rejectedAs(`notify at ${status}`, [kind], send({ key: `message-${status}` }));
    must(
      error.info.ambiguous !== true || status === 503,
      `notify at ${status} says that the message may have been sent; ${status} says that it was not.`,
    );
    if (kind === "rate_limited" || kind === "unavailable")
      must(
        error.info.retryAfterMs === RETRY_AFTER_SECONDS * 1_000,
        `notify at ${status} with Retry-After: ${RETRY_AFTER_SECONDS} says retryAfterMs ${show(error.info.retryAfterMs)}.`,
      );
  }
  running.faults?.clear();
  must((await shown()).length === 0, "A message was refused, and people see it.");
}

async function refusesWrongSecrets<T>({ send, shown, subject, context }: Telling<T>): Promise<void> {
  const secrets = neededSecrets(subject, "wrong", "secrets that the system refuses show that the connector notices");
  await rejectedAs("notify with wrong secrets", ["auth"], send({ key: "message-1", x: await context({ secrets }) }));
  must((await shown()).length === 0, "A message was sent with wrong secrets.");
}

async function refusesUnknown<T>({ send, options }: Telling<T>): Promise<void> {
  const to = options.unknownRecipient;
  if (to === undefined) throw new ConformanceFailure("options.notify.unknownRecipient is missing.");
  await rejectedAs(`notify to ${to}`, ["not_found", "invalid"], send({ key: "message-1", to }));
}
