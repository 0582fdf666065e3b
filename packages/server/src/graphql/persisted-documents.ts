import { readFile, stat } from "node:fs/promises";
import { DomainError } from "@quiesce/core";
import { parse } from "graphql";
import type { OperationParams } from "./prepare-operation.js";

/** A file of documents is at most this large, and names at most so many. */
const FILE_LIMIT_BYTES = 16 * 1024 * 1024;
const MAX_DOCUMENTS = 10_000;
const ID = /^[A-Za-z0-9_.:-]{1,200}$/;
/** The GraphQL-over-HTTP draft names the hash before the id. */
const PREFIX = /^sha256:/;

/** The documents that this server was given at its start, and whether it takes others. */
export interface PersistedDocuments {
  /** The text to execute. Throws QSC_GRAPHQL_DOCUMENT_UNKNOWN and QSC_GRAPHQL_DOCUMENT_ONLY. */
  readonly resolve: (params: Pick<OperationParams, "query" | "documentId">) => string;
}

export interface PersistedDocumentsOptions {
  /** Texts by their ids, as a client generator writes them. */
  readonly documents: ReadonlyMap<string, string>;
  /** Refuse every text that is not among the documents, whole and unchanged. */
  readonly only: boolean;
  /** Texts without an id that are let through all the same: the command line's own. */
  readonly alsoAllowed?: readonly string[];
}

export function createPersistedDocuments({ documents, only, alsoAllowed = [] }: PersistedDocumentsOptions): PersistedDocuments {
  const allowed = only ? new Set([...documents.values(), ...alsoAllowed]) : null;
  return {
    resolve({ query, documentId }) {
      if (documentId !== undefined && documentId !== null) return documentOf(documents, documentId);
      if (typeof query !== "string" || query === "")
        throw new DomainError(
          "QSC_GRAPHQL_INVALID",
          "There is no document. Send its text as `query`, or the id of a registered one as `documentId`.",
        );
      if (allowed !== null && !allowed.has(query))
        throw new DomainError(
          "QSC_GRAPHQL_DOCUMENT_ONLY",
          "This server executes only the documents that it was given at its start. Send the `documentId` of one, or have this one registered.",
        );
      return query;
    },
  };
}

function documentOf(documents: ReadonlyMap<string, string>, documentId: unknown): string {
  const id = typeof documentId === "string" ? documentId : "";
  const text = documents.get(id) ?? documents.get(id.replace(PREFIX, ""));
  if (text === undefined)
    throw new DomainError(
      "QSC_GRAPHQL_DOCUMENT_UNKNOWN",
      `There is no registered document "${id.slice(0, 80)}". Give the server the file of this version of the page (QUIESCE_PERSISTED_DOCUMENTS) and start it again.`,
      { field: "documentId" },
    );
  return text;
}

/** Reads `{ "<id>": "<document>" }`, as client generators write it. Throws QSC_CONFIG_DOCUMENTS. */
export async function loadPersistedDocuments(file: string): Promise<ReadonlyMap<string, string>> {
  const refuse = (problem: string) =>
    new DomainError(
      "QSC_CONFIG_DOCUMENTS",
      `${file} ${problem}. Expected a JSON object of ids and GraphQL documents: { "<sha256>": "query …" }.`,
      {
        field: "QUIESCE_PERSISTED_DOCUMENTS",
      },
    );
  const { size } = await stat(file).catch(() => Promise.reject(refuse("cannot be read")));
  if (size > FILE_LIMIT_BYTES) throw refuse(`has ${size} bytes, at most ${FILE_LIMIT_BYTES} are read`);
  const entries = entriesOf(await readFile(file, "utf8"));
  if (entries === null) throw refuse("holds something else");
  if (entries.length > MAX_DOCUMENTS) throw refuse(`has ${entries.length} documents, at most ${MAX_DOCUMENTS} are taken`);
  const documents = new Map<string, string>();
  for (const [id, text] of entries) {
    if (!ID.test(id)) throw refuse(`has the id "${id.slice(0, 80)}", which is none`);
    if (typeof text !== "string" || !parses(text)) throw refuse(`has no GraphQL document under "${id}"`);
    documents.set(id, text);
  }
  return documents;
}

function entriesOf(text: string): readonly (readonly [string, unknown])[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  } catch {
    return null;
  }
}

function parses(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}
