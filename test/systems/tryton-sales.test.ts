import { trytonConnector } from "@quiesce/connectors";
import type { Connector, Context, JsonObject, SourceRecord, WriteItem } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listKeys, readPages, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { suiteRuns } from "./server-process.js";
import { startTryton, type Tryton, TRYTON_SALES } from "./tryton.js";

/** A company with a currency, a customer with an address, two products, and the warehouse that the stock module makes. */
const FURNISH = `
Currency = pool.get('currency.currency')
euro, = Currency.create([{'name': 'Euro', 'symbol': 'E', 'code': 'EUR'}])
seller, = Party.create([{'name': 'Seller', 'code': 'S-1'}])
company, = pool.get('company.company').create([{'party': seller.id, 'currency': euro.id}])
pool.get('res.user').write([pool.get('res.user')(1)], {'companies': [('add', [company.id])], 'company': company.id})
customer, = Party.create([{'name': 'Customer', 'code': 'C-1', 'addresses': [('create', [{'city': 'Bilbao'}])]}])
other, = Party.create([{'name': 'Other', 'code': 'C-2'}])
unit, = pool.get('product.uom').search([('symbol', '=', 'u')])
transaction.set_context(company=company.id).__enter__()
for code, price in (('P-1', '10.00'), ('P-2', '2.50')): _ = pool.get('product.template').create([{'name': 'Product ' + code, 'code': code, 'type': 'goods', 'default_uom': unit.id, 'salable': True, 'sale_uom': unit.id, 'list_price': __import__('decimal').Decimal(price), 'products': [('create', [{}])]}])

print('COMPANY', company.id)`;

describe.runIf(suiteRuns("Tryton with sales and stock", TRYTON_SALES))("the tryton connector on sales, stock and products", () => {
  const connector: Connector = trytonConnector;
  let tryton: Tryton;
  let x: Context;

  beforeAll(async () => {
    tryton = await startTryton({ parties: 0, modules: ["sale", "stock"] });
    const company = Number(/COMPANY (\d+)/u.exec(await tryton.run(FURNISH))?.[1]);
    const { url, database, user, password } = tryton;
    const line = ["product.code", "quantity", "unit.symbol", "unit_price", "description"].map((name) => `lines.${name}`);
    const streams = [
      {
        name: "sales",
        model: "sale.sale",
        fields: ["reference", "state", "party.code", "shipment_address.city", ...line],
        codeField: "reference",
        key: "code",
      },
      { name: "moves", model: "stock.move", fields: ["product.code", "quantity", "from_location.code", "to_location.code", "state"] },
      {
        name: "products",
        model: "product.product",
        fields: ["code", "template.name", "template.list_price", "template.default_uom.symbol"],
      },
      { name: "templates", model: "product.template", fields: ["code", "name", "list_price"], codeField: "code", key: "code" },
      { name: "customers", model: "party.party", fields: ["code", "name", "addresses.city"], codeField: "code", key: "code" },
    ].map((stream) => ({ overlapSeconds: 0, ...stream }));
    x = await runContext(connector, { config: { url, database, user, company, streams }, secrets: { password } });
  }, 900_000);
  afterAll(async () => tryton?.remove());

  const read = async (stream: string): Promise<readonly SourceRecord[]> => (await readPages(connector, x, { stream, pageSize: 3 })).records;
  const write = async (stream: string, ...items: readonly WriteItem[]) => (await connector.write?.apply(x, stream, items)) ?? [];
  const line = (code: string, quantity: number, price: string): JsonObject => ({
    product: { code },
    quantity,
    unit: { symbol: "u" },
    unit_price: price,
    description: `${quantity} of ${code}`,
  });
  const order = (key: string, more: JsonObject = {}): WriteItem =>
    writeItem(key, {
      party: { code: "C-1" },
      currency: { code: "EUR" },
      shipment_address: { city: "Bilbao" },
      lines: [line("P-1", 2, "9.5"), line("P-2", 10, "2.25")],
      ...more,
    });

  test("tells the types of what a record refers to", async () => {
    const sales = ((await connector.streams?.(x)) ?? []).find(({ name }) => name === "sales");
    expect(sales).toMatchObject({
      key: ["reference"],
      schema: {
        properties: {
          party: { type: ["object", "null"], properties: { code: { type: ["string", "null"] } } },
          lines: {
            type: "array",
            items: { properties: { quantity: { type: ["number", "null"] }, product: { properties: { code: {} } } } },
          },
        },
      },
    });
  });

  test("writes a draft sale with its lines, leaves it alone when repeated, and reads it as it was written", async () => {
    expect(await write("sales", order("SO-1"), order("SO-2", { lines: [] }))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await write("sales", order("SO-1"), order("SO-2", { lines: [] }))).toMatchObject([{ unchanged: true }, { unchanged: true }]);
    const found = await read("sales");
    expect(found.map(({ key }) => key).toSorted()).toEqual(["SO-1", "SO-2"]);
    expect(found.find(({ key }) => key === "SO-1")?.data).toMatchObject({
      reference: "SO-1",
      state: "draft",
      party: { code: "C-1" },
      shipment_address: { city: "Bilbao" },
      lines: [
        { product: { code: "P-1" }, quantity: 2, unit: { symbol: "u" }, unit_price: expect.stringMatching(/^9\.50*$/u) },
        { product: { code: "P-2" }, quantity: 10 },
      ],
    });
    expect((await listKeys(connector, x, "sales", 1)).toSorted()).toEqual(["SO-1", "SO-2"]);
  });

  test("changed lines take the place of the old ones, all or none", async () => {
    expect(await write("sales", order("SO-3"))).toMatchObject([{ ok: true }]);
    const other = order("SO-3", { lines: [line("P-2", 7, "2.25")], party: { code: "C-2" }, shipment_address: null });
    const [changed] = await write("sales", other);
    expect(changed).toMatchObject({ ok: true });
    expect(changed).not.toHaveProperty("unchanged");
    expect(await write("sales", other)).toMatchObject([{ ok: true, unchanged: true }]);
    const sale = (await read("sales")).find(({ key }) => key === "SO-3");
    expect(sale?.data).toMatchObject({
      party: { code: "C-2" },
      shipment_address: null,
      lines: [{ product: { code: "P-2" }, quantity: 7 }],
    });
    expect(sale?.data["lines"]).toHaveLength(1);
    // A line that Tryton refuses takes the others with it.
    const [refused] = await write("sales", order("SO-3", { lines: [line("P-1", 1, "1"), { ...line("P-1", 1, "1"), unit: null }] }));
    expect(refused).toMatchObject({ ok: false, error: { kind: "invalid" } });
    expect((await read("sales")).find(({ key }) => key === "SO-3")?.data["lines"]).toHaveLength(1);
  });

  test("says which reference finds no record, or more than one, and keeps the others of the batch", async () => {
    await tryton.run("_ = pool.get('party.address').create([{'party': 3, 'city': 'Twice'}, {'party': 3, 'city': 'Twice'}])");
    const results = await write(
      "sales",
      order("SO-4", { party: { code: "nobody" } }),
      order("SO-5", { shipment_address: { city: "Twice" } }),
      order("SO-6", { lines: [{ ...line("P-1", 1, "1"), product: { code: "P-9" } }] }),
      order("SO-7", { lines: [{ ...line("P-1", 1, "1"), colour: "red" }] }),
      order("SO-8", { party: { code: "C-1", name: "Customer" } }),
      order("SO-9", { party: { coed: "C-1" } }),
      order("SO-10"),
    );
    expect(results.map((result) => (result.ok ? "ok" : result.error.message))).toEqual([
      "Field party: Tryton has no party.party whose code is nobody, expected one.",
      "Field shipment_address: Tryton has 2 party.address whose city is Twice, expected one.",
      "Field product: Tryton has no product.product whose code is P-9, expected one.",
      "The model sale.line has no field colour. Map it to one, or leave it out.",
      expect.stringContaining("expected an id, or one field that names the record"),
      "Field party: Tryton has no party.party whose coed is C-1, expected one.",
      "ok",
    ]);
  });

  test("reads products with their template, and stock moves with product and places", async () => {
    expect((await read("products")).map(({ data }) => data)).toMatchObject([
      { code: "P-1", template: { name: "Product P-1", list_price: expect.stringMatching(/^10\.?0*$/u), default_uom: { symbol: "u" } } },
      { code: "P-2", template: { name: "Product P-2" } },
    ]);
    await tryton.run(`
Location = pool.get('stock.location')
storage, = Location.search([('type', '=', 'storage'), ('code', '=', 'STO')])
lost, = Location.search([('type', '=', 'lost_found')])
product, = pool.get('product.product').search([('code', '=', 'P-1')])
_ = pool.get('stock.move').create([{'product': product.id, 'uom': product.default_uom.id, 'quantity': 3.0 + i, 'from_location': lost.id, 'to_location': storage.id, 'company': pool.get('company.company').search([])[0].id} for i in range(5)])`);
    const moves = await read("moves");
    expect(moves.map(({ data }) => data["quantity"])).toEqual([3, 4, 5, 6, 7]);
    expect(moves[0]?.data).toMatchObject({ product: { code: "P-1" }, to_location: { code: "STO" }, state: "draft" });
  });

  test("writes parties with addresses and the templates of products", async () => {
    const party = writeItem("C-3", { name: "Three", addresses: [{ city: "Vigo" }, { city: "Lugo" }] });
    expect(await write("customers", party)).toMatchObject([{ ok: true }]);
    expect(await write("customers", party)).toMatchObject([{ ok: true, unchanged: true }]);
    const three = (await read("customers")).find(({ key }) => key === "C-3");
    expect(three?.data["addresses"]).toEqual([{ city: "Vigo" }, { city: "Lugo" }]);
    const template = writeItem("P-3", { name: "Three", type: "goods", default_uom: { symbol: "u" }, list_price: "3.10" });
    expect(await write("templates", template)).toMatchObject([{ ok: true }]);
    expect(await write("templates", template)).toMatchObject([{ ok: true, unchanged: true }]);
    expect((await read("templates")).map(({ key }) => key)).toEqual(["P-1", "P-2", "P-3"]);
  });

  test("refuses to write over what was changed since it was read, also between its look and its write", async () => {
    await write("customers", writeItem("V-1", { name: "One" }));
    const seen = (await read("customers")).find(({ key }) => key === "V-1");
    const guarded = (name: string): WriteItem => writeItem("V-1", { name }, { ifVersion: seen?.version ?? "" });
    await tryton.run("Party.write(Party.search([('code', '=', 'V-1')]), {'name': 'Of somebody'})");
    expect(await write("customers", guarded("Two"))).toMatchObject([{ ok: false, error: { kind: "conflict" } }]);
    const now = (await read("customers")).find(({ key }) => key === "V-1");
    let isRaced = false;
    const raced: Context = {
      ...x,
      fetch: async (url, options) => {
        if (!isRaced && JSON.stringify(options?.body ?? "").includes("party.party.write")) {
          isRaced = true;
          await tryton.run("Party.write(Party.search([('code', '=', 'V-1')]), {'name': 'Of somebody else'})");
        }
        return x.fetch(url, options);
      },
    };
    const late = { ...guarded("Three"), ifVersion: now?.version ?? "" };
    expect(await connector.write?.apply(raced, "customers", [late])).toMatchObject([{ ok: false, error: { kind: "conflict" } }]);
    expect(isRaced).toBe(true);
    const last = (await read("customers")).find(({ key }) => key === "V-1");
    expect(last?.data["name"]).toBe("Of somebody else");
    expect(await write("customers", { ...guarded("Four"), ifVersion: last?.version ?? "" })).toMatchObject([{ ok: true }]);
  });

  test("refuses a path through a field that leads nowhere", async () => {
    const { url, database, user, password } = tryton;
    const streams = [{ name: "odd", model: "party.party", fields: ["name.code"] }];
    const odd = await runContext(connector, { config: { url, database, user, streams }, secrets: { password } });
    expect(await rejection(readPages(connector, odd, { stream: "odd" }))).toMatchObject({ kind: "config", info: { field: "name" } });
  });
});
