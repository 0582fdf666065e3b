import { describe, expect, it } from "vitest";
import { decideRestore, type RestoreFacts } from "./decide-restore.js";
import { orderTables } from "./order-tables.js";

const first = { version: 1, name: "0001-a.sql", checksum: "a" };
const second = { version: 2, name: "0002-b.sql", checksum: "b" };
const facts: RestoreFacts = { tables: [], sessions: [], migrations: [first], known: [first, second], replace: false };

describe("a restore", () => {
  it("goes into an empty database, with the migrations of the backup first", () => {
    expect(decideRestore(facts)).toEqual({ kind: "restore", upTo: 1, replaces: false });
  });

  it("throws nothing away without the order to", () => {
    const full = { ...facts, tables: ["run", "hold"] };
    expect(decideRestore(full)).toEqual({ kind: "refuse", reasons: [{ kind: "not-empty", tables: 2 }] });
    expect(decideRestore({ ...full, replace: true })).toEqual({ kind: "restore", upTo: 1, replaces: true });
  });

  it("is refused while somebody works in the database, also with the order to replace", () => {
    expect(decideRestore({ ...facts, sessions: ["quiesce"], replace: true })).toEqual({
      kind: "refuse",
      reasons: [{ kind: "in-use", sessions: ["quiesce"] }],
    });
  });

  it("is refused for the schema of a newer version, and for one that another build made under the same number", () => {
    const newer = { version: 3, name: "0003-c.sql", checksum: "c" };
    expect(decideRestore({ ...facts, migrations: [first, newer] })).toEqual({
      kind: "refuse",
      reasons: [{ kind: "newer", migration: "0003-c.sql" }],
    });
    expect(decideRestore({ ...facts, migrations: [{ ...first, checksum: "x" }] })).toEqual({
      kind: "refuse",
      reasons: [{ kind: "other-schema", migration: "0001-a.sql" }],
    });
  });
});

describe("tables", () => {
  it("are filled after those that they refer to", () => {
    const references = [
      { from: "job", to: "integration" },
      { from: "integration", to: "endpoint" },
      { from: "endpoint", to: "system" },
      { from: "window", to: "window" },
    ];
    const ordered = orderTables(["job", "window", "integration", "system", "endpoint"], references);
    for (const { from, to } of references.slice(0, 3)) expect(ordered.indexOf(from), from).toBeGreaterThan(ordered.indexOf(to));
    expect(ordered).toHaveLength(5);
  });

  it("in a circle are no order", () => {
    const circle = [
      { from: "a", to: "b" },
      { from: "b", to: "a" },
    ];
    expect(() => orderTables(["a", "b"], circle)).toThrow(/circle: a, b/);
  });
});
