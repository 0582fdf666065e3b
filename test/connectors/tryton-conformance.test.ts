import { trytonConnector } from "@quiesce/connectors";
import { conformance, fake } from "@quiesce/sdk/testing";
import { describe, it } from "vitest";
import { FakeTryton } from "./fake-tryton.js";

conformance(trytonConnector, {
  describe,
  it,
  server: fake(() => new FakeTryton()),
  config: {
    valid: ({ url }) => ({
      url,
      database: "erp",
      user: "admin",
      streams: [{ name: "parties", model: "party.party", fields: ["code", "name"], overlapSeconds: 0, codeField: "code" }],
    }),
    invalid: [{}, { url: "https://erp.example.com", database: "a b", user: "admin", streams: [] }],
  },
  secrets: { valid: { password: "good" }, wrong: { password: "bad" } },
  bodyErrors: [{ answer: { json: { id: 1, error: ["UserError", ["The database is being updated.", ""]] } }, kind: "config" }],
  read: {
    stream: "parties",
    seed: (tryton, rows) => {
      for (const { id, at, n } of rows) tryton.put(Number(id), at, { name: `P${n}` });
    },
    remove: (tryton, id) => void tryton.parties.delete(Number(id)),
  },
  write: {
    stream: "parties",
    item: (n) => ({ key: `C${n}`, data: { name: `Party ${n}` } }),
    bad: (n) => ({ key: `C${n}`, data: { name: "x", nonsense: 1 } }),
    stored: (tryton) => [...tryton.parties.values()].flatMap(({ code }) => (typeof code === "string" ? [code] : [])),
    deletes: true,
    staleVersion: "2000-01-01T00:00:00.000000",
  },
});
