import { DomainError } from "@quiesce/core";
import { type DocumentNode, type ExecutionResult, GraphQLError, Kind, parse } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Authenticated } from "../access/authenticate.js";
import { documentLimits, MAX_TOKENS } from "./document-limits.js";
import { exampleOperations } from "./example-operations.js";
import { presentGraphqlError } from "./present-error.js";
import type { ApiLog, ApiServices, RequestContext } from "./request-context.js";
import { apiSchema } from "./schema.js";

/** What a transport knows of a request before GraphQL sees it. */
export interface Arrival {
  /** Absent only for the GraphiQL page, which is a file and no operation. */
  readonly caller?: Authenticated;
  /** The body was larger than an ordinary operation may be. */
  readonly large?: boolean;
}

/** An operation that takes longer is given up. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The GraphQL server without a transport: HTTP and sockets share its limits, rights and masking. */
export function createApi(services: ApiServices) {
  return createYoga<Arrival, RequestContext>({
    schema: apiSchema(),
    graphqlEndpoint: "/graphql",
    landingPage: false,
    batching: false,
    multipart: false,
    // The HTTP server answers CORS itself, for REST and GraphQL alike.
    cors: false,
    logging: false,
    // The page with its scripts inside: the usual one fetches them from the internet. It is large, so it is read when first asked for.
    renderGraphiQL: async (options) => (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(options),
    graphiql: {
      title: "Quiesce",
      defaultTabs: exampleOperations,
      headers: '{ "Authorization": "Bearer qsc_…" }',
      shouldPersistHeaders: false,
    },
    maskedErrors: { maskError: (error) => presentGraphqlError(error, services.log) },
    context: (arrival) => contextOf(services, arrival),
    plugins: [limits(), timeLimit(), streamErrors(services.log)],
  });
}

export type Api = ReturnType<typeof createApi>;

function contextOf(services: ApiServices, { caller }: Arrival): RequestContext {
  if (caller === undefined)
    throw new DomainError("QSC_ACCESS_TOKEN_MISSING", "This needs an API token in the header: Authorization: Bearer qsc_…");
  return { ...services, tokenId: caller.tokenId, principal: caller.principal };
}

function limits(): Plugin<Arrival> {
  return {
    onParse: ({ setParseFn }) => setParseFn((source: string, options: object) => parse(source, { ...options, maxTokens: MAX_TOKENS })),
    onValidate: ({ addValidationRule }) => addValidationRule(documentLimits),
    onExecute: ({ args, context }) => {
      if (context.large === true && !appliesWorkspaceOnly(args.document)) {
        throw new DomainError(
          "QSC_HTTP_BODY_TOO_LARGE",
          "Only applyWorkspace, alone in its operation, may have a body larger than 256 KiB.",
        );
      }
    },
  };
}

function appliesWorkspaceOnly(document: DocumentNode): boolean {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  return operations.every(({ selectionSet }) =>
    selectionSet.selections.every((node) => node.kind === Kind.FIELD && node.name.value === "applyWorkspace"),
  );
}

/** Ends the wait, not the work: what the database still does is bounded by its own statement timeout. */
function timeLimit(): Plugin {
  return {
    onExecute: ({ executeFn, setExecuteFn }) => {
      setExecuteFn(async (args: Parameters<typeof executeFn>[0]) => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<ExecutionResult>((resolve) => {
          const error = new GraphQLError(
            `The operation took longer than ${REQUEST_TIMEOUT_MS / 1_000} s and was given up. A mutation may have been done: look before you repeat it.`,
            { extensions: { code: "QSC_GRAPHQL_TIMEOUT" } },
          );
          timer = setTimeout(() => resolve({ errors: [error] }), REQUEST_TIMEOUT_MS);
        });
        try {
          return await Promise.race([executeFn(args), late]);
        } finally {
          clearTimeout(timer);
        }
      });
    },
  };
}

/** An error inside a stream ends that stream with a last item that says why and where to resume, not the whole connection. */
function streamErrors(log: ApiLog): Plugin {
  return {
    onSubscribe: () => ({
      onSubscribeResult: ({ result, setResult }) => {
        if (Symbol.asyncIterator in result) setResult(endingWithError(result, log));
      },
    }),
  };
}

function endingWithError(results: AsyncIterable<ExecutionResult>, log: ApiLog): AsyncGenerator<ExecutionResult, undefined> {
  const source = results[Symbol.asyncIterator]();
  let over = false;
  // graphql-ws returns only streams that are whole generators, `throw` included.
  const stream: AsyncGenerator<ExecutionResult, undefined> = {
    async next() {
      if (over) return { done: true, value: undefined };
      try {
        const next = await source.next();
        return next.done === true ? { done: true, value: undefined } : next;
      } catch (error) {
        over = true;
        return { done: false, value: { errors: [presentGraphqlError(error, log)] } };
      }
    },
    async return() {
      over = true;
      await source.return?.();
      return { done: true, value: undefined };
    },
    async throw(error) {
      over = true;
      await source.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await stream.return(undefined);
    },
  };
  return stream;
}
