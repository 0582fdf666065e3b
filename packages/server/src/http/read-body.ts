import type { IncomingMessage } from "node:http";
import { DomainError } from "@quiesce/core";

/** An ordinary request's body is at most this large. */
export const BODY_LIMIT_BYTES = 256 * 1024;
/** A workspace document of 5 MiB, its quotes escaped inside a JSON string. Only who may apply workspaces may send so much. */
export const WORKSPACE_BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Reads a body and stops at the limit, whatever its Content-Length says. Nothing is unpacked: a few packed bytes can stand for gigabytes.
 * Throws QSC_HTTP_BODY_TOO_LARGE and QSC_HTTP_CONTENT_ENCODING.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity")
    throw new DomainError(
      "QSC_HTTP_CONTENT_ENCODING",
      `The body is packed (${encoding.slice(0, 60)}). Send it as it is, without Content-Encoding.`,
    );
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new Error("The request was given an encoding.");
    size += chunk.length;
    if (size <= limitBytes) {
      chunks.push(chunk);
      continue;
    }
    // The rest is thrown away as it comes, so that the client, who is still sending, hears the answer; the server's request timeout bounds it.
    request.resume();
    throw new DomainError("QSC_HTTP_BODY_TOO_LARGE", `The body is larger than ${limitBytes} bytes. Send less in one request.`);
  }
  return Buffer.concat(chunks);
}

/** The body as a JSON object; an empty one is an empty object. Throws QSC_HTTP_BODY_INVALID. */
export async function readJsonObject(request: IncomingMessage): Promise<{ readonly [name: string]: unknown }> {
  const text = (await readBody(request, BODY_LIMIT_BYTES)).toString("utf8");
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DomainError("QSC_HTTP_BODY_INVALID", "The body is not a JSON object.");
  return Object.fromEntries(Object.entries(value));
}
