import { DomainError } from "@quiesce/core";
import { type DocumentNode, type ExecutionResult, GraphQLError, Kind, parse } from "graphql";
import { createYoga, type GraphQLParams, type Plugin } from "graphql-yoga";
import type { Authenticated } from "../access/authenticate.js";
import { documentLimits, MAX_TOKENS } from "./document-limits.js";
import { exampleOperations } from "./example-operations.js";
import { graphiqlPage } from "./graphiql-page.js";
import type { PersistedDocuments } from "./persisted-documents.js";
import type { OperationParams } from "./prepare-operation.js";
import { presentGraphqlError } from "./present-error.js";
import type { ApiServices, RequestContext } from "./request-context.js";
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
export function createApi(services: ApiServices & { readonly documents: PersistedDocuments }) {
  return createYoga<Arrival, RequestContext>({
    schema: apiSchema(),
    graphqlEndpoint: "/graphql",
    landingPage: false,
    batching: false,
    multipart: false,
    // The HTTP server answers CORS itself, for REST and GraphQL alike.
    cors: false,
    logging: false,
    renderGraphiQL: graphiqlPage,
    graphiql: { title: "Quiesce", defaultTabs: exampleOperations, shouldPersistHeaders: false },
    maskedErrors: { maskError: (error) => presentGraphqlError(error, services.log) },
    context: (arrival) => contextOf(services, arrival),
    extraParamNames: ["documentId"],
    plugins: [byDocumentId(services.documents), limits(services), timeLimit(), feedsOnly()],
  });
}

export type Api = ReturnType<typeof createApi>;

function contextOf(services: ApiServices, { caller }: Arrival): RequestContext {
  if (caller === undefined)
    throw new DomainError("QSC_ACCESS_TOKEN_MISSING", "This needs an API token in the header: Authorization: Bearer qsc_…");
  return { ...services, tokenId: caller.tokenId, principal: caller.principal };
}

function limits({ log }: ApiServices): Plugin<Arrival> {
  return {
    onParse: ({ setParseFn }) => setParseFn((source: string, options: object) => parse(source, { ...options, maxTokens: MAX_TOKENS })),
    onValidate: ({ addValidationRule }) => {
      addValidationRule(documentLimits);
      // Masking sees what was executed, and a document that is refused never is.
      return ({ valid, result, setResult }) => {
        if (!valid) setResult(result.map((problem) => presentGraphqlError(problem, log)));
      };
    },
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

/** Subscriptions run in shared feeds, which the transports that can carry them join; nothing else executes one. */
function feedsOnly(): Plugin {
  return {
    onSubscribe: ({ setSubscribeFn }) =>
      setSubscribeFn(() => {
        throw new DomainError(
          "QSC_GRAPHQL_STREAM_ONLY",
          "A subscription comes over a WebSocket, or with the header accept: text/event-stream, in a document with one operation of this name.",
        );
      }),
  };
}

/** A document by its id, before anybody looks for a query. */
function byDocumentId(documents: PersistedDocuments): Plugin {
  return {
    onParams: ({ params, request, setParams }) => {
      const inUrl = request.method === "GET" ? new URL(request.url).searchParams.get("documentId") : null;
      const { documentId = inUrl, ...rest }: GraphQLParams & OperationParams = params;
      setParams({ ...rest, query: documents.resolve({ query: rest.query, documentId }) });
    },
  };
}
