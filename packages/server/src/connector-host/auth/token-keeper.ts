import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorError, type ConnectorFetch, isConnectorError, type Json } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { z } from "zod";
import { readNow } from "../../command.js";
import type { KeyRing } from "../../credentials/master-key.js";
import type { Database } from "../../db/client.js";
import { createStateStore } from "../connector-state.js";
import type { SecretMask } from "../secret-mask.js";
import { type OAuthMethod, requestToken } from "./token-request.js";

/** Longer than asking takes, so that two servers never ask at once. */
const LEASE_MS = 20_000;
const LOOK_MS = 100;
/** A token is renewed so long before its end, or in the last fifth of a shorter life. */
const RENEW_BEFORE_MS = 60_000;
/** Not the id of a connector: these have no colon. */
const STATE_OWNER = "host:oauth2";

const storedSchema = z.object({
  /** Another configuration or secret makes another token. */
  of: z.string(),
  token: z.string(),
  renewAt: z.number(),
  endsAt: z.number(),
  refreshToken: z.string().optional(),
});
type Stored = z.output<typeof storedSchema>;

/** The access token of one endpoint. */
export interface TokenSource {
  current(): Promise<string>;
  /** Another one than a token that the system has refused. */
  renewed(refused: string): Promise<string>;
}

/** For which endpoint and credential, by what means, in which call. */
export interface TokenUse {
  readonly endpoint: { readonly id: number; readonly key: string; readonly credentialId: number | null };
  readonly method: OAuthMethod;
  /** Guarded, and without the endpoint's own way to show who asks. */
  readonly fetch: ConnectorFetch;
  readonly mask: SecretMask;
  readonly signal: AbortSignal;
}

/** Access tokens of all endpoints: fetched by one server at a time, kept sealed for all. */
export interface TokenKeeper {
  sourceFor(use: TokenUse): TokenSource;
}

export function createTokenKeeper({ database, keyRing }: { readonly database: Database; readonly keyRing: KeyRing }): TokenKeeper {
  const holder = randomUUID();
  /** What this server is fetching, so that it asks the database for its turn once. */
  const underWay = new Map<string, Promise<string>>();
  return {
    sourceFor(use) {
      const { endpoint, method, mask, signal } = use;
      const of = fingerprintOf(method);
      const state = createStateStore({ database, keyRing, endpoint, connectorId: STATE_OWNER, mask });
      const read = async (): Promise<Stored | undefined> => {
        const stored = storedSchema.safeParse(await state.get("token"));
        if (!stored.success || stored.data.of !== of) return undefined;
        mask.add([stored.data.token]);
        return stored.data;
      };
      const good = async (refused: string | undefined): Promise<Stored | undefined> => {
        const stored = await read();
        const now = await readNow(database.db);
        return stored !== undefined && stored.token !== refused && stored.renewAt > now ? stored : undefined;
      };
      const fetchNew = async (refused: string | undefined): Promise<string> => {
        while (!(await takeLease(database, endpoint.id, holder))) {
          const others = await good(refused);
          if (others !== undefined) return others.token;
          await sleep(LOOK_MS, undefined, { signal }).catch(() => {
            throw new ConnectorError("cancelled", "The call was stopped while an access token was fetched.");
          });
        }
        try {
          // Another server may have been there first.
          const others = await good(refused);
          if (others !== undefined) return others.token;
          const before = await read();
          const granted = await requestToken(use.fetch, method, before?.refreshToken);
          mask.add([granted.token, ...(granted.refreshToken === undefined ? [] : [granted.refreshToken])]);
          const now = await readNow(database.db);
          const refreshToken = granted.refreshToken ?? before?.refreshToken;
          const stored = {
            of,
            token: granted.token,
            renewAt: now + granted.lifeMs - Math.min(RENEW_BEFORE_MS, granted.lifeMs / 5),
            endsAt: now + granted.lifeMs,
            ...(refreshToken === undefined ? {} : { refreshToken }),
          };
          await state.set("token", stored satisfies Json);
          return granted.token;
        } finally {
          await giveLeaseBack(database, endpoint.id, holder);
        }
      };
      const once = async (refused: string | undefined): Promise<string> => {
        const name = `${endpoint.id}/${endpoint.credentialId}/${of}/${refused === undefined ? "" : fingerprintOf(refused)}`;
        for (;;) {
          const already = underWay.get(name);
          if (already === undefined) break;
          try {
            const token = await already;
            mask.add([token]);
            return token;
          } catch (thrown) {
            // Whoever was fetching it was stopped: that is no answer to this call.
            if (signal.aborted || !isConnectorError(thrown) || thrown.kind !== "cancelled") throw thrown;
          }
        }
        const work = fetchNew(refused).finally(() => underWay.delete(name));
        underWay.set(name, work);
        return work;
      };
      return {
        current: async () => (await good(undefined))?.token ?? once(undefined),
        renewed: (refused) => once(refused),
      };
    },
  };
}

async function takeLease(database: Database, endpointId: number, holder: string): Promise<boolean> {
  const rows = await database.db.execute(sql`
    insert into endpoint_token_refresh as r (endpoint_id, holder, lease_until)
    values (${endpointId}, ${holder}::uuid, app_now() + ${`${LEASE_MS} milliseconds`}::interval)
    on conflict (endpoint_id) do update set holder = excluded.holder, lease_until = excluded.lease_until where r.lease_until < app_now()
    returning endpoint_id`);
  return rows.length > 0;
}

async function giveLeaseBack(database: Database, endpointId: number, holder: string): Promise<void> {
  await database.db.execute(sql`delete from endpoint_token_refresh where endpoint_id = ${endpointId} and holder = ${holder}::uuid`);
}

function fingerprintOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64");
}
