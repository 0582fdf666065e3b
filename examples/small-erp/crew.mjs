import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const WORK_MS = 25_000;

/**
 * The maintenance crew: it waits for `quiesced` - the window is open and nothing is in flight - before it takes the ERP down, works a while, and
 * brings it back. This is what people, or their scripts, do with the live event.
 */
export function startCrew({ url, token, controlUrl, window, log }) {
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 1_000,
    shouldRetry: () => true,
  });
  let working;
  const stopWatching = client.subscribe(
    { query: `subscription ($subjects: [String!]) { liveEvents(subjects: $subjects, kinds: ["window.*"]) { kind at payload } }`, variables: { subjects: [`window:${window}`] } },
    {
      next: ({ data }) => {
        const event = data?.liveEvents;
        if (event === undefined || event.kind === "heartbeat") return;
        log(`Example: ${event.kind} (${event.at})`);
        if (event.kind !== "window.quiesced" || working !== undefined) return;
        log("Crew: nothing is in flight. Taking the ERP down.");
        void fetch(`${controlUrl}/down`, { method: "POST" });
        working = setTimeout(() => {
          working = undefined;
          void fetch(`${controlUrl}/up`, { method: "POST" }).then(() => log("Crew: the ERP is back."));
        }, WORK_MS);
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  return {
    stop() {
      stopWatching();
      if (working !== undefined) clearTimeout(working);
      void client.dispose();
    },
  };
}
