import { describe, expect, it } from "vitest";
import { type CatalogueFilter, type CatalogueRow, compareRows, fits, numbersOfRows, patchOf, rowOf, stateOf } from "./catalogue-rows.js";
import { routeText } from "./route-text.js";

const row = (change: Partial<CatalogueRow> = {}): CatalogueRow => ({
  key: "orders",
  name: "Orders to the ERP",
  ownerTeam: "sales",
  criticality: "HIGH",
  tags: ["eu", "daily"],
  systems: [{ role: "VIA", key: "erp", name: "Big ERP" }],
  isHeld: false,
  isFailing: false,
  isRunning: false,
  last: { state: "SUCCEEDED", at: "2027-03-10T02:00:00Z" },
  ...change,
});
const filter = (change: Partial<CatalogueFilter>): CatalogueFilter => ({ q: "", system: "", team: "", tag: "", state: "", ...change });

describe("a row of the catalogue", () => {
  it.each([
    [{ isFailing: true, isHeld: true, isRunning: true }, "failing"],
    [{ isHeld: true, isRunning: true }, "held"],
    [{ isRunning: true }, "running"],
    [{}, "fine"],
    [{ last: null }, "idle"],
  ] as const)("with %j is %s", (change, state) => {
    expect(stateOf(row(change))).toBe(state);
  });

  it.each([
    ["erp ORDERS", true],
    ["big eu", true],
    ["orders shop", false],
    ["", true],
  ])("is found by %j: %s", (q, isFound) => {
    expect(fits(row(), filter({ q }))).toBe(isFound);
  });

  it("fits only when every field that is given fits", () => {
    expect(fits(row(), filter({ system: "erp", team: "sales", tag: "eu", state: "fine" }))).toBe(true);
    for (const change of [{ system: "big" }, { team: "sale" }, { tag: "e" }, { state: "held" }] as const)
      expect(fits(row(), filter({ system: "erp", team: "sales", tag: "eu", ...change }))).toBe(false);
  });

  it("stands before others when it fails, then when it is held; by name among equals", () => {
    const rows = [
      row({ key: "a", name: "B" }),
      row({ key: "b", name: "A", isRunning: true }),
      row({ key: "c", name: "Z", isHeld: true }),
      row({ key: "d", name: "Y", isFailing: true }),
      row({ key: "e", name: "A", last: null }),
    ];
    expect(rows.toSorted(compareRows).map(({ key }) => key)).toEqual(["d", "c", "b", "e", "a"]);
    expect(numbersOfRows(rows)).toEqual({ all: 5, held: 1, failing: 1 });
  });

  it("takes what is held and what fails from the marks", () => {
    const node = { ...row(), id: "1", systems: [], lastRun: null };
    const marks = { held: new Set(["orders"]), failing: new Set(["other"]) };
    expect(rowOf(node, marks)).toMatchObject({ isHeld: true, isFailing: false, last: null });
  });
});

describe("an event of a run", () => {
  const at = "2027-03-10T03:00:00Z";
  const after = (kind: string, payload: unknown, before: CatalogueRow = row()) => patchOf({ kind, at, payload })?.(before) ?? null;
  it("that started says that it runs", () => {
    expect(after("run.started", {})).toMatchObject({ isRunning: true, last: { state: "RUNNING", at } });
  });
  it("that failed says so at once", () => {
    expect(after("run.finished", { state: "dead" }, row({ isRunning: true }))).toMatchObject({
      isRunning: false,
      isFailing: true,
      last: { state: "DEAD", at },
    });
  });
  it("that succeeded does not say that no other job of the integration fails", () => {
    expect(after("run.finished", { state: "succeeded" }, row({ isFailing: true }))).toMatchObject({ isFailing: true });
  });
  it("that says nothing of a state changes nothing", () => {
    expect(after("run.finished", null)).toBeNull();
    expect(after("hold.created", {})).toBeNull();
  });
});

it("a route goes from sources through the others to targets, and claims no order where there is none", () => {
  const stop = (role: "SOURCE" | "VIA" | "TARGET", name: string) => ({ role, name });
  expect(routeText([stop("TARGET", "Shop"), stop("SOURCE", "ERP"), stop("VIA", "Hub")])).toBe("ERP → Hub → Shop");
  expect(routeText([stop("VIA", "Shop"), stop("VIA", "ERP")])).toBe("Shop, ERP");
});
