import { type ConnectionStatus, followEvents, type Refusal, refusalOf } from "@quiesce/client";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type AnyVariables, type DocumentInput, useMutation, useQuery, useSubscription } from "urql";
import { useConnection } from "./connection.js";

/** What is shown of a reading. `data` stays while it is read again, and while the network is gone. */
export interface Reading<Data> {
  readonly data: Data | undefined;
  /** Of the last attempt; null when it went well. With `data` it is older than it should be. */
  readonly refusal: Refusal | null;
  readonly isLoading: boolean;
  readonly again: () => void;
}

export interface LiveQueryOptions {
  /** Kinds of events after which it is read again, as ["window.*"]; none: it stays as it was read. */
  readonly kinds?: readonly string[] | undefined;
  /** Only events of these, as ["integration:orders"]. */
  readonly subjects?: readonly string[] | undefined;
  /** Nothing is asked while this is true. */
  readonly isPaused?: boolean | undefined;
}

/** However much happens, a page reads again at most so often. */
const READ_AGAIN_MS = 1_000;

/** Reads, and reads again when something happened that it is about, or the connection was lost meanwhile. */
export function useLiveQuery<Data, Variables extends AnyVariables>(
  query: DocumentInput<Data, Variables>,
  variables: Variables,
  options: LiveQueryOptions = {},
): Reading<Data> {
  const { isPaused = false } = options;
  const [result, execute] = useQuery<Data, Variables>({ query, variables, pause: isPaused });
  const again = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);
  useEventsTo(again, { ...options, isPaused: isPaused || options.kinds === undefined });
  // What was refused whole has null for data, whatever the type says.
  return { data: result.data ?? undefined, refusal: refusalOf(result.error), isLoading: result.fetching, again };
}

/** Calls `onChange` when something of these kinds happened, at most once a second, and when that may have been missed. */
function useEventsTo(onChange: () => void, options: LiveQueryOptions): void {
  const connection = useConnection();
  const latest = useRef(onChange);
  latest.current = onChange;
  const { kinds, subjects, isPaused = false } = options;
  const key = JSON.stringify([kinds, subjects]);
  useEffect(() => {
    if (isPaused) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        latest.current();
      }, READ_AGAIN_MS);
    };
    const followed = followEvents(connection, { kinds, subjects, onEvent: soon, onGap: soon });
    return () => {
      followed.stop();
      clearTimeout(timer);
    };
    // The lists are new ones with every render; their text is not.
  }, [connection, key, isPaused]);
}

/** A state that the server sends whole whenever it changes: statusSummary, windowProgress, integrationStatus. */
export function useLiveState<Data, Variables extends AnyVariables>(
  query: DocumentInput<Data, Variables>,
  variables: Variables,
  options: { readonly isPaused?: boolean } = {},
): Reading<Data> {
  const [attempt, setAttempt] = useState(0);
  const [result, execute] = useSubscription<Data, Data, Variables>({ query, variables, pause: options.isPaused ?? false });
  useEffect(() => {
    if (attempt > 0) execute();
  }, [attempt, execute]);
  return {
    data: result.data,
    refusal: refusalOf(result.error),
    isLoading: result.data === undefined && result.error === undefined,
    again: () => setAttempt((before) => before + 1),
  };
}

/** A mutation with its refusal; what it answers is in the cache when it is over. `run` answers null when it was refused. */
export function useCommand<Data, Variables extends AnyVariables>(
  document: DocumentInput<Data, Variables>,
): {
  readonly run: (variables: Variables) => Promise<Data | null>;
  readonly isRunning: boolean;
  readonly refusal: Refusal | null;
  readonly reset: () => void;
} {
  const [result, execute] = useMutation<Data, Variables>(document);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const run = useCallback(
    async (variables: Variables) => {
      setRefusal(null);
      const { data, error } = await execute(variables);
      setRefusal(refusalOf(error));
      return error === undefined ? (data ?? null) : null;
    },
    [execute],
  );
  return { run, isRunning: result.fetching, refusal, reset: () => setRefusal(null) };
}

export function useConnectionStatus(): ConnectionStatus {
  const { status } = useConnection().live;
  return useSyncExternalStore(status.subscribe, status.get);
}
