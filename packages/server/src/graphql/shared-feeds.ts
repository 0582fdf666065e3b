import { createSourceEventStream, execute, type ExecutionArgs, type ExecutionResult, type GraphQLError } from "graphql";
import type { Authenticated } from "../access/authenticate.js";
import { type FeedEnd, type FeedSink, FeedSubscriber } from "../events/feed-subscriber.js";
import type { LiveBus } from "../events/live-bus.js";
import { isLiveSource, type LiveSource } from "../events/live-source.js";
import { createLogFeed, type Feed, type Membership } from "../events/log-feed.js";
import { createStateFeed } from "../events/state-feed.js";
import { feedKey } from "./feed-key.js";
import type { PreparedOperation } from "./prepare-operation.js";
import { presentedError, presentGraphqlError } from "./present-error.js";
import type { Log } from "../log.js";
import type { RequestContext } from "./request-context.js";

/** One client's subscription to a shared feed. */
export interface LiveStream {
  /** Why it is over. */
  readonly ended: Promise<FeedEnd>;
  /** The client's connection has room again. */
  drained(): void;
  /** Nothing goes out from this moment on, until its caller's rights have been looked at again. */
  pause(): void;
  /** Goes on from its place with the rights that its caller has now. */
  resume(caller: Authenticated): void;
  close(): void;
}

/** Runs every distinct subscription once, however many clients have it. */
export interface SharedFeeds {
  subscribe(
    operation: PreparedOperation,
    input: { readonly caller: Authenticated; readonly sink: FeedSink },
  ): Promise<LiveStream | readonly GraphQLError[]>;
  /** How many subscriptions are executed now. */
  readonly size: number;
}

export function createSharedFeeds(services: { readonly bus: LiveBus; readonly log: Log }): SharedFeeds {
  const feeds = new Map<string, Feed>();

  const feedOf = (operation: PreparedOperation, source: LiveSource, context: RequestContext): Feed => {
    const key = feedKey({ ...operation, principal: context.principal });
    const known = feeds.get(key);
    if (known !== undefined) return known;
    const { bus, log } = services;
    const args = executionOf(operation, context);
    const run = (item: object) => settled(execute({ ...args, rootValue: item }), (result) => JSON.stringify(masked(result, log)));
    const options = { bus, matches: source.matches, execute: run, onOver: () => void feeds.delete(key) };
    const feed =
      source.kind === "log"
        ? createLogFeed({ ...options, heartbeatMs: source.heartbeatMs, sees: source.sees })
        : createStateFeed({ ...options, minIntervalMs: source.minIntervalMs });
    feeds.set(key, feed);
    return feed;
  };

  /** Asks GraphQL whether and what the caller may watch; answers how to join that from a place on. */
  const admit = async (operation: PreparedOperation, caller: Authenticated): Promise<Admitted> => {
    const context = await operation.contextOf(caller);
    const source = await createSourceEventStream(executionOf(operation, context));
    if (!isLiveSource(source))
      return (("errors" in source ? source.errors : undefined) ?? []).map((error) => presentGraphqlError(error, services.log));
    return { source, join: (subscriber: FeedSubscriber) => feedOf(operation, source, context).join(subscriber) };
  };

  return {
    async subscribe(operation, { caller, sink }) {
      const admitted = await admit(operation, caller);
      if (!("source" in admitted)) return admitted;
      const { source } = admitted;
      const subscriber = new FeedSubscriber({
        sink,
        place: source.place,
        keepsNewestOnly: source.kind === "state",
        expiresAt: caller.expiresAt,
      });
      return streamOf(subscriber, admitted.join(subscriber), (now) => admit(operation, now));
    },
    get size() {
      return feeds.size;
    },
  };
}

interface Admission {
  readonly source: LiveSource;
  readonly join: (subscriber: FeedSubscriber) => Membership;
}
type Admitted = Admission | readonly GraphQLError[];

function streamOf(subscriber: FeedSubscriber, first: Membership, admit: (caller: Authenticated) => Promise<Admitted>): LiveStream {
  let membership: Membership | null = first;
  /** Grows with every pause: an admission that was asked for before one does not count after it. */
  let pauses = 0;
  const pause = () => {
    pauses += 1;
    membership?.leave();
    membership = null;
  };
  void subscriber.ended.then(pause);
  const resume = async (caller: Authenticated) => {
    const asked = pauses;
    try {
      const admitted = await admit(caller);
      if (pauses !== asked || membership !== null || subscriber.isOver) return;
      subscriber.expiresAt = caller.expiresAt;
      if ("source" in admitted) membership = admitted.join(subscriber);
      else subscriber.end({ kind: "failed", error: admitted[0] });
    } catch (error) {
      subscriber.end({ kind: "failed", error });
    }
  };
  return {
    ended: subscriber.ended,
    drained: () => subscriber.drained(),
    pause,
    resume: (caller) => void resume(caller),
    close: () => subscriber.end({ kind: "left" }),
  };
}

function executionOf({ enveloped, document, operation, variables }: PreparedOperation, contextValue: RequestContext): ExecutionArgs {
  return { schema: enveloped.schema, document, operationName: operation.name?.value ?? null, variableValues: variables, contextValue };
}

function masked(result: ExecutionResult, log: Log): ExecutionResult {
  const { errors } = result;
  return errors === undefined ? result : { ...result, errors: errors.map((error) => presentGraphqlError(error, log)) };
}

/** Most events are executed without waiting for anything. */
function settled<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** What a client is told at the end of its subscription; null when there is nothing to tell. */
export function lastWords(end: FeedEnd, log: Log): ExecutionResult | null {
  return end.kind === "failed" ? { errors: [presentedError(end.error, log)] } : null;
}
