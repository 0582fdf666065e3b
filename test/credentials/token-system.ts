import { type Connector, ConnectorError, defineConnector, z } from "@quiesce/sdk";

/** A system that gives out tokens, in memory, and can be made to fail at any point. */
export interface TokenSystem {
  readonly connector: Connector;
  /** Tokens that are good. */
  readonly alive: Set<string>;
  /** What was asked of it, in order: `issue`, `check <token>`, `revoke <token>`, `read <token>`. */
  readonly asked: string[];
  /** Called before it answers; what it throws is the answer. */
  before: (call: "issue" | "check" | "revoke" | "read", token: string) => void | Promise<void>;
  /** False: people hand the tokens in. */
  issues: boolean;
  /** False: people end them. */
  revokes: boolean;
  /** As it was at first. */
  reset(): void;
}

export const FIRST_TOKEN = "first-token-canary-0001";

export function tokenSystem(): TokenSystem {
  const alive = new Set([FIRST_TOKEN]);
  const asked: string[] = [];
  let count = 1;
  const demand = (token: string): void => {
    // A system that repeats what it was sent, as many do.
    if (!alive.has(token)) throw new ConnectorError("auth", `The token ${token} is not known.`);
  };
  const call = async (name: "issue" | "check" | "revoke" | "read", token: string): Promise<void> => {
    asked.push(name === "issue" ? name : `${name} ${token}`);
    await system.before(name, token);
    if (name !== "revoke") demand(token);
  };
  const connector = defineConnector({
    apiVersion: 1,
    id: "tokens",
    version: "1.0.0",
    displayName: "Tokens",
    stability: "beta",
    config: z.object({}),
    secrets: z.object({ token: z.string().min(8) }),
    egress: () => [],
    check: async (x) => {
      await call("check", x.secrets.token);
      return { status: "up" };
    },
    async *read(x) {
      await call("read", x.secrets.token);
      yield { records: [{ key: "1", data: { id: "1" } }], cursor: {}, more: true };
      await call("read", x.secrets.token);
      yield { records: [], cursor: {}, more: false };
    },
    rotate: {
      secrets: ["token"],
      canIssue: () => system.issues,
      canRevoke: () => system.revokes,
      issue: async (x) => {
        await call("issue", x.secrets.token);
        count += 1;
        const token = `issued-token-canary-${String(count).padStart(4, "0")}`;
        alive.add(token);
        return { secrets: { token } };
      },
      revoke: async (_x, old) => {
        await call("revoke", old.token);
        alive.delete(old.token);
      },
    },
  });
  const system: TokenSystem = {
    connector,
    alive,
    asked,
    before: () => undefined,
    issues: true,
    revokes: true,
    reset() {
      alive.clear();
      alive.add(FIRST_TOKEN);
      asked.length = 0;
      count = 1;
      Object.assign(system, { before: () => undefined, issues: true, revokes: true });
    },
  };
  return system;
}
