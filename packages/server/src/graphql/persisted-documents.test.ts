import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allDocuments } from "../cli/operations/all-documents.js";
import { createPersistedDocuments, loadPersistedDocuments } from "./persisted-documents.js";

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe("persisted documents", () => {
  const documents = new Map([["abc", "{ control { mode } }"]]);

  it("are found by their id, with and without the name of the hash", () => {
    const { resolve } = createPersistedDocuments({ documents, only: false });
    expect(resolve({ documentId: "abc" })).toBe("{ control { mode } }");
    expect(resolve({ documentId: "sha256:abc", query: "" })).toBe("{ control { mode } }");
    expect(resolve({ query: "{ health { status } }" })).toBe("{ health { status } }");
  });

  it("that are unknown or no ids are refused", () => {
    const { resolve } = createPersistedDocuments({ documents, only: false });
    for (const documentId of ["abd", "", "__proto__", "constructor", 7, {}, ["abc"]])
      expect(codeOf(() => resolve({ documentId, query: "{ health { status } }" }))).toBe("QSC_GRAPHQL_DOCUMENT_UNKNOWN");
    expect(codeOf(() => resolve({}))).toBe("QSC_GRAPHQL_INVALID");
  });

  it("are all there is when only they are taken; a registered text may also be sent whole", () => {
    const { resolve } = createPersistedDocuments({ documents, only: true, alsoAllowed: ["{ health { status } }"] });
    expect(resolve({ documentId: "abc" })).toBe("{ control { mode } }");
    expect(resolve({ query: "{ control { mode } }" })).toBe("{ control { mode } }");
    expect(resolve({ query: "{ health { status } }" })).toBe("{ health { status } }");
    expect(codeOf(() => resolve({ query: "{ control { mode }  }" }))).toBe("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(codeOf(() => resolve({ query: "{ __schema { types { name } } }" }))).toBe("QSC_GRAPHQL_DOCUMENT_ONLY");
  });

  it("include everything that the command line sends", async () => {
    const folder = new URL("../cli/operations/", import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
    const modules: object[] = await Promise.all(files.map(async (file) => (await import(new URL(file, folder).href)) as object));
    const sent = modules.flatMap((exported) =>
      Object.values(exported).flatMap((value: unknown) =>
        typeof value === "object" && value !== null && "document" in value ? [String(value.document)] : [],
      ),
    );
    expect(sent.length).toBeGreaterThan(10);
    expect(allDocuments().toSorted()).toEqual(sent.toSorted());
  });
});

describe("a file of documents", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quiesce-documents-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const load = async (text: string) => {
    const file = join(folder, "documents.json");
    await writeFile(file, text);
    return loadPersistedDocuments(file);
  };

  it("is read as client generators write it", async () => {
    expect([...(await load('{ "f0e1": "query A { control { mode } }", "x-2": "{ health { status } }" }'))]).toEqual([
      ["f0e1", "query A { control { mode } }"],
      ["x-2", "{ health { status } }"],
    ]);
  });

  it.each([
    ["is no JSON", "nonsense"],
    ["is a list", '["{ control { mode } }"]'],
    ["holds something else than a document", '{ "a": { "text": "{ control { mode } }" } }'],
    ["holds a document that does not parse", '{ "a": "query {" }'],
    ["has an id with a space", '{ "a b": "{ control { mode } }" }'],
    ["has too many documents", JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`d${n}`, "{ a }"])))],
  ])("that %s is refused at the start", async (_, text) => {
    await expect(load(text)).rejects.toMatchObject({ code: "QSC_CONFIG_DOCUMENTS", field: "QUIESCE_PERSISTED_DOCUMENTS" });
  });

  it("that is not there is refused at the start", async () => {
    await expect(loadPersistedDocuments(join(folder, "missing.json"))).rejects.toMatchObject({ code: "QSC_CONFIG_DOCUMENTS" });
  });
});
