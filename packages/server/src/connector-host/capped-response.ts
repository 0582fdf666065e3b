import { ConnectorError } from "@quiesce/sdk";

/** An answer may have at most so many bytes after decompression: 10 MiB. */
export const RESPONSE_MAX_BYTES = 10 * 1024 * 1024;

const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** As much of a fetched answer as is needed here: undici's type and the global one differ in details. */
export interface FetchedResponse {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly headers: Iterable<[string, string]>;
  readonly body: { getReader(): BodyReader } | null;
}

interface BodyOptions {
  readonly where: string;
  readonly classify: (thrown: unknown) => ConnectorError;
  readonly ended: () => void;
}

interface BodyReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

/**
 * The answer as a global Response whose body ends with a classified error if it is too large, breaks off, or is stopped. `ended` is called once,
 * when nobody reads it any more.
 */
export function cappedResponse(response: FetchedResponse, options: BodyOptions): Response {
  const reader = WITHOUT_BODY.has(response.status) ? undefined : response.body?.getReader();
  if (reader === undefined) options.ended();
  const body = reader === undefined ? null : cappedBody(reader, options);
  const copy = new Response(body, { status: response.status, statusText: response.statusText, headers: [...response.headers] });
  // A Response made by hand has no address; connectors use it for their messages.
  Object.defineProperty(copy, "url", { value: response.url });
  return copy;
}

function cappedBody(reader: BodyReader, options: BodyOptions): ReadableStream<Uint8Array> {
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done || value === undefined) {
          options.ended();
          return controller.close();
        }
        bytes += value.byteLength;
        if (bytes > RESPONSE_MAX_BYTES) {
          throw new ConnectorError(
            "contract",
            `The answer of ${options.where} is larger than ${RESPONSE_MAX_BYTES / 1024 / 1024} MiB. Ask for smaller pages.`,
          );
        }
        controller.enqueue(value);
      } catch (thrown) {
        options.ended();
        void reader.cancel().catch(() => undefined);
        controller.error(options.classify(thrown));
      }
    },
    async cancel(reason) {
      options.ended();
      await reader.cancel(reason);
    },
  });
}
