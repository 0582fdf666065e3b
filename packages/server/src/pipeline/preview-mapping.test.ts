import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { PREVIEW_RECORDS } from "./preview-mapping.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
  const mapping = { fields: { city: { from: "address.city" } } };
  await api.database
    .sql`update integration set streams = ${api.database.sql.json([{ stream: "items", target: "items", mapping, deletes: "ignore", push: false }])} where key = 'orders'`;
  const letters = [
    ["a", { source: { key: "a", data: { address: { city: "Ávila" } } }, idempotencyKey: "k" }],
    ["b", { source: { key: "b", data: { address: {} } }, idempotencyKey: "k" }],
    ["hidden", { source: { key: "hidden", data: { password: "***" } }, idempotencyKey: "k", incomplete: true }],
    ["unread", { source: { key: "unread" }, idempotencyKey: "k" }],
  ] as const;
  for (const [key, record] of letters)
    await api.database.sql`insert into dead_letter (integration_id, stream, record_key, record, error, run_id)
      select id, 'items', ${key}, ${api.database.sql.json(record)}, '{}', gen_random_uuid() from integration where key = 'orders'`;
});
afterAll(() => api.stop());

const query = `query ($input: PreviewMappingInput!) { previewMapping(input: $input) {
  isValid problems { path message } warnings { path message } records { recordKey outcome before after targetKey errors { field found expected } } } }`;

async function preview(input: object, token?: string) {
  const { data, errors } = await api.ask(query, { input }, token);
  return { answer: data?.["previewMapping"] as Record<string, never> | undefined, errors };
}

describe("a preview of a mapping", () => {
  it("tries the integration's own mapping on its whole dead letters, newest first", async () => {
    const { answer } = await preview({ integration: "orders" });
    expect(answer?.["records"]).toEqual([
      {
        recordKey: "b",
        outcome: "UNFIT",
        before: { address: {} },
        after: null,
        targetKey: null,
        errors: [{ field: "city", found: "nothing", expected: "a value at address.city; a default would allow it to be absent" }],
      },
      { recordKey: "a", outcome: "MAPPED", before: { address: { city: "Ávila" } }, after: { city: "Ávila" }, targetKey: "a", errors: [] },
    ]);
  });

  it("tries another mapping on the letters, or on records that it is given, and writes nothing", async () => {
    const before = await api.database.sql`select count(*) from dead_letter`;
    const mapping = { fields: { town: { expression: "address.city ? $uppercase(address.city) : 'none'" } }, when: "$key != 'a'" };
    const { answer } = await preview({ integration: "orders", mapping });
    expect(answer?.["records"]).toMatchObject([{ after: { town: "none" } }, { outcome: "SKIPPED", after: null }]);
    const given = await preview({
      mapping,
      records: [
        { key: "7", data: { address: { city: "x" } } },
        { key: "8", op: "delete", data: {} },
      ],
    });
    expect(given.answer?.["records"]).toMatchObject([{ after: { town: "X" } }, { outcome: "MAPPED", recordKey: "8" }]);
    expect(await api.database.sql`select count(*) from dead_letter`).toEqual(before);
  });

  it("says where a mapping is wrong and maps nothing with it", async () => {
    const mapping = { fields: { a: { expression: "$sum(lines." }, b: { from: "x", table: { "1": "n", "2": "n" } } } };
    const { answer } = await preview({ mapping, records: [{ key: "7", data: {} }] });
    expect(answer).toMatchObject({
      isValid: false,
      records: [],
      problems: [{ path: "fields.a.expression", message: expect.stringMatching(/^character 11: /) }],
    });
    const table = await preview({ mapping: { fields: { b: mapping.fields.b } }, records: [] });
    expect(table.answer).toMatchObject({ isValid: true, warnings: [{ path: "fields.b.table", message: '"1" and "2" all become "n"' }] });
  });

  it.each([
    [{ integration: "nowhere" }, "QSC_MAPPING_NOT_FOUND"],
    [{ integration: "orders", stream: "other" }, "QSC_MAPPING_STREAM"],
    [{ integration: "stock" }, "QSC_MAPPING_STREAM"],
    [{}, "QSC_MAPPING_RECORDS"],
    [{ mapping: { fields: { a: { from: "a" } } } }, "QSC_MAPPING_RECORDS"],
    [{ integration: "orders", records: [{ id: 7 }] }, "QSC_MAPPING_RECORDS"],
    [{ integration: "orders", letters: 0 }, "QSC_MAPPING_RECORDS"],
    [
      { integration: "orders", records: Array.from({ length: PREVIEW_RECORDS + 1 }, (_none, i) => ({ key: String(i), data: {} })) },
      "QSC_MAPPING_RECORDS",
    ],
  ])("refuses %j", async (input, code) => {
    const { errors } = await preview(input);
    expect(errors?.[0]?.extensions.code).toBe(code);
  });

  it("shows records only to those who may read records", async () => {
    const { errors } = await preview({ integration: "orders" }, api.tokens.viewer);
    expect(errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
  });
});
