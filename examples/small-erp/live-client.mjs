import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const EVENTS = `subscription ($kinds: [String!], $subjects: [String!]) {
  liveEvents(kinds: $kinds, subjects: $subjects) { kind subjectKey payload }
}`;

/** Live events of a server over WebSocket; it connects again by itself. `stop` ends it. */
export function liveClient({ url, token }) {
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 1_000,
    shouldRetry: () => true,
  });
  return {
    /** Calls `next` with every event of these kinds, and `lost` when none comes any more. Answers what stops it. */
    follow({ kinds, subjects, next, lost }) {
      return client.subscribe(
        { query: EVENTS, variables: { kinds, subjects } },
        {
          next: ({ data }) => data && next(data.liveEvents),
          error: (error) => lost(error instanceof Error ? error.message : JSON.stringify(error)),
          complete: () => undefined,
        },
      );
    },
    stop() {
      // Rejects when the socket was just being opened.
      void Promise.resolve(client.dispose()).catch(() => undefined);
    },
  };
}
