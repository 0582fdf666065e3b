import { followEvents, type Refusal, refusalOf } from "@quiesce/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { useConnection } from "../app/connection.js";
import type { TopologySystem } from "./system-state.js";
import { TopologySystemsDocument } from "./topology.generated.js";

export interface Systems {
  /** Null: not read yet. */
  readonly systems: readonly TopologySystem[] | null;
  /** There are more than these. */
  readonly isCut: boolean;
  readonly refusal: Refusal | null;
  readonly again: () => void;
}

const PAGE_SIZE = 200;
const MAX_SYSTEMS = 2_000;
const READ_AGAIN_MS = 1_000;
const RETRY_MS = 5_000;
const kinds = ["hold.*", "window.*", "endpoint.breaker-opened", "endpoint.breaker-closed", "catalogue.applied"];

/** Every system, page by page, and again when something happened to one, or `changed` is another number. */
export function useSystems(changed: number): Systems {
  const connection = useConnection();
  const [state, setState] = useState<Omit<Systems, "again">>({ systems: null, isCut: false, refusal: null });
  const turn = useRef(0);
  const read = useCallback(async () => {
    const own = (turn.current += 1);
    const systems: TopologySystem[] = [];
    let after: string | null = null;
    do {
      const answer: { readonly page: Page | null; readonly refusal: Refusal | null } = await pageBehind(connection, after);
      if (own !== turn.current) return;
      if (answer.page === null) {
        setState((before) => ({ ...before, refusal: answer.refusal }));
        // What the server could not answer just now is asked for again, unless something newer is.
        setTimeout(() => (own === turn.current ? void read() : undefined), RETRY_MS);
        return;
      }
      systems.push(...answer.page.nodes);
      after = answer.page.pageInfo.hasNextPage ? answer.page.pageInfo.endCursor : null;
    } while (after !== null && systems.length < MAX_SYSTEMS);
    setState({ systems, isCut: after !== null, refusal: null });
  }, [connection]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void read();
      }, READ_AGAIN_MS);
    };
    const followed = followEvents(connection, { kinds, onEvent: soon, onGap: soon });
    return () => {
      followed.stop();
      clearTimeout(timer);
    };
  }, [connection, read]);
  useEffect(() => {
    void read();
    return () => {
      turn.current += 1;
    };
  }, [read, changed]);
  return { ...state, again: () => void read() };
}

interface Page {
  readonly nodes: readonly TopologySystem[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function pageBehind(connection: ReturnType<typeof useConnection>, after: string | null) {
  const { data, error } = await connection.client
    .query(TopologySystemsDocument, { first: PAGE_SIZE, after }, { requestPolicy: "network-only" })
    .toPromise();
  return { page: data?.systems ?? null, refusal: refusalOf(error) };
}
