/** The test that a project begins with: the conformance kit against a fake of the system. */
export function conformanceSource(): string {
  return `import { describe, it } from "node:test";
import { conformance, fake, type FakeAnswer, type FakeSystem, type SeenRequest } from "@quiesce/sdk/testing";
import connector from "../src/index.js";

/** The system as the connector sees it, in memory. Let it answer as yours does, errors too. */
class Items implements FakeSystem {
  readonly items = new Map<string, { id: string; changedAt: string; name: string }>();

  handle({ url, headers }: SeenRequest): FakeAnswer {
    if (headers.authorization !== "Bearer good") return { status: 401, json: { message: "who are you?" } };
    if (url.pathname === "/health") return { json: { version: "1.0" } };
    const after = url.searchParams.get("after") ?? "";
    const afterId = Number(url.searchParams.get("afterId") ?? "0");
    const limit = Number(url.searchParams.get("limit") ?? "100");
    const found = [...this.items.values()]
      .filter(({ changedAt, id }) => changedAt > after || (changedAt === after && Number(id) > afterId))
      .toSorted((left, right) => left.changedAt.localeCompare(right.changedAt) || Number(left.id) - Number(right.id));
    return { json: { items: found.slice(0, limit), more: found.length > limit } };
  }
}

conformance(connector, {
  describe,
  it,
  server: fake(() => new Items()),
  config: { valid: ({ url }) => ({ url }), invalid: [{}, { url: "no address" }] },
  secrets: { valid: { token: "good" }, wrong: { token: "wrong" } },
  read: {
    stream: "items",
    seed: (system, rows) => {
      for (const { id, at, n } of rows) system.items.set(id, { id, changedAt: at.toISOString(), name: \`Item \${n}\` });
    },
  },
});
`;
}
