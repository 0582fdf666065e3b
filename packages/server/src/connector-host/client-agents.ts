import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { canonicalHost } from "@quiesce/core";
import type { ClientTls } from "@quiesce/sdk";
import { Agent, buildConnector } from "undici";
import { guardedLookup, isReachable, refusedAddress, type Resolve } from "./egress-address.js";

const CONNECT_TIMEOUT_MS = 10_000;
/** Pools of client certificates at once; the one that was unused the longest is closed for a new one. */
const MAX_CLIENT_POOLS = 200;

/** Pools of connections. One that was opened with a client certificate never serves anybody who has not the same one. */
export interface ClientAgents {
  agentFor(how: { readonly privateAllowed: boolean; readonly tls: ClientTls | undefined }): Agent;
  close(): Promise<void>;
}

/** Certificates are verified; names are resolved once and the connection goes to the address that was checked. */
export function createClientAgents(resolve: Resolve): ClientAgents {
  // A pool each, or a connection that one endpoint may have would serve another one that may not.
  const outside = agentOf({ privateAllowed: false, resolve }, undefined);
  const inside = agentOf({ privateAllowed: true, resolve }, undefined);
  const pools = new Map<string, Agent>();
  return {
    agentFor({ privateAllowed, tls }) {
      if (tls?.cert === undefined && tls?.key === undefined && tls?.ca === undefined) return privateAllowed ? inside : outside;
      const name = createHash("sha256")
        .update(JSON.stringify([privateAllowed, tls.cert ?? null, tls.key ?? null, tls.ca ?? null]))
        .digest("base64");
      const agent = pools.get(name) ?? agentOf({ privateAllowed, resolve }, tls);
      // Set anew, so that the order is that of use.
      pools.delete(name);
      pools.set(name, agent);
      for (const [oldest, unused] of pools) {
        if (pools.size <= MAX_CLIENT_POOLS) break;
        pools.delete(oldest);
        // Requests under way end first.
        void unused.close();
      }
      return agent;
    },
    close: async () => {
      await Promise.all([outside, inside, ...pools.values()].map((agent) => agent.destroy()));
    },
  };
}

function agentOf(options: { readonly privateAllowed: boolean; readonly resolve: Resolve }, tls: ClientTls | undefined): Agent {
  const { cert, key, ca } = tls ?? {};
  const connect = buildConnector({
    lookup: guardedLookup(options),
    timeout: CONNECT_TIMEOUT_MS,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  });
  return new Agent({
    // An address is not looked up, so the lookup does not see it.
    connect: (target, callback) => {
      const host = canonicalHost(target.hostname);
      if (isIP(host) !== 0 && !isReachable(host, options)) callback(refusedAddress(host, [host]), null);
      else connect(target, callback);
    },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
