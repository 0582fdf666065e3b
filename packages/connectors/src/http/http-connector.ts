import { ConnectorError, defineConnector, type Stream } from "@quiesce/sdk";
import { httpConfig, httpSecrets, type HttpStream } from "./http-config.js";
import { listStreamKeys, readStream } from "./http-read.js";
import { send } from "./http-request.js";
import { issueToken, revokeToken } from "./http-rotate.js";
import { httpIdempotency, writeItems } from "./http-write.js";

/**
 * JSON over REST. Streams, paging, key and write paths are configuration. Paging by page or offset can miss a record if
 * another is deleted while it pages: prefer token paging or `since` where the system has them.
 */
export const httpConnector = defineConnector({
  apiVersion: 1,
  id: "http",
  version: "0.1.0",
  displayName: "HTTP (JSON over REST)",
  stability: "beta",
  config: httpConfig,
  secrets: httpSecrets,
  egress: (config) => [new URL(config.baseUrl).origin],
  check: async (x) => {
    const path = x.config.checkPath ?? x.config.streams[0]?.path ?? "/";
    const response = await send(x, path);
    await response.body?.cancel();
    const type = response.headers.get("content-type") ?? "";
    if (!/^text\/html\b/iu.test(type)) return { status: "up" };
    // A proxy, or a sign-in page before the system, answers 200 too.
    throw new ConnectorError(
      "contract",
      `GET ${path} was answered with a page for people (${type}), expected the API. Look whether baseUrl leads to it, and set checkPath to something that it answers.`,
      { status: response.status },
    );
  },
  streams: async (x) => x.config.streams.map(streamInfo),
  read: readStream,
  listKeys: listStreamKeys,
  write: {
    idempotency: "none",
    idempotencyOf: httpIdempotency,
    maxBatch: 100,
    apply: writeItems,
  },
  rotate: {
    secrets: ["token", "tokenId", "password", "certificate", "privateKey"],
    canIssue: (config) => config.rotation !== undefined,
    canRevoke: (config) => config.rotation?.revoke !== undefined,
    issue: issueToken,
    revoke: revokeToken,
  },
});

function streamInfo(stream: HttpStream): Stream {
  return {
    name: stream.name,
    schema: {},
    key: stream.key,
    cursor: stream.since === undefined ? "none" : "incremental",
    deletes: stream.deletedPath === undefined ? "snapshot" : "tombstone",
  };
}
