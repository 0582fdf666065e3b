import { DomainError } from "@quiesce/core";
import { type DocumentNode, type ExecutionResult, GraphQLError, Kind, parse } from "graphql";
import { createYoga, type GraphQLParams, type Plugin } from "graphql-yoga";
import type { Authenticated } from "../access/authenticate.js";
import { defaultApiLimits } from "../http/api-limits.js";
import { accountForOperations, type TakeCost } from "./account-for-operations.js";
import { documentLimits } from "./document-limits.js";
import type { PersistedDocuments } from "./persisted-documents.js";
import type { OperationParams } from "./prepare-operation.js";
import { presentGraphqlError } from "./present-error.js";
import { type ApiServices, type RequestContext, requestContext } from "./request-context.js";
import { apiSchema } from "./schema.js";
import { checkVariables } from "./variable-limits.js";

/** What a transport knows of a request before GraphQL sees it. */
export interface Arrival {
  readonly caller?: Authenticated;
  /** The body was larger than an ordinary operation may be. */
  readonly large?: boolean;
}

/** What the API has of the server around it. */
export interface ApiOptions extends ApiServices {
  readonly documents: PersistedDocuments;
  readonly takeCost?: TakeCost | undefined;
}

/** The GraphQL server without a transport: HTTP and sockets share its limits, rights and masking. */
export function createApi(services: ApiOptions) {
  return createYoga<Arrival, RequestContext>({
    schema: apiSchema(),
    graphqlEndpoint: "/graphql",
    landingPage: false,
    batching: false,
    multipart: false,
    // The HTTP server has counted the body already, and to count it here once more would send it through two streams.
    maxRequestBodySize: false,
    // The HTTP server answers CORS itself, for REST and GraphQL alike.
    cors: false,
    logging: false,
    // The page is no operation: the HTTP server has it.
    graphiql: false,
    maskedErrors: { maskError: (error) => presentGraphqlError(error, services.log) },
    context: (arrival) => contextOf(services, arrival),
    extraParamNames: ["documentId"],
    plugins: [byDocumentId(services.documents), limits(services), accountForOperations(services), timeLimit(services), feedsOnly()],
  });
}

export type Api = ReturnType<typeof createApi>;

function contextOf(services: ApiServices, { caller }: Arrival): RequestContext {
  if (caller === undefined)
    throw new DomainError("QSC_ACCESS_TOKEN_MISSING", "This needs an API token in the header: Authorization: Bearer qsc_…");
  return requestContext(services, caller);
}

function limits({ log, limits: most = defaultApiLimits }: ApiServices): Plugin<Arrival> {
  const rule = documentLimits(most);
  return {
    onParams: ({ params }) => checkVariables(params.variables),
    onParse: ({ setParseFn }) =>
      setParseFn((source: string, options: object) => parse(source, { ...options, maxTokens: most.queryTokens })),
    onValidate: ({ addValidationRule }) => {
      addValidationRule(rule);
      // Masking sees what was executed, and a document that is refused never is.
      return ({ valid, result, setResult }) => {
        if (!valid) setResult(result.map((problem) => presentGraphqlError(problem, log)));
      };
    },
    onExecute: ({ args, context }) => {
      if (context.large === true && !appliesWorkspaceOnly(args.document)) {
        throw new DomainError(
          "QSC_HTTP_BODY_TOO_LARGE",
          `Only applyWorkspace, alone in its operation, may have a body larger than ${most.bodyKib} KiB.`,
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
function timeLimit({ limits: { requestSeconds } = defaultApiLimits }: ApiServices): Plugin {
  return {
    onExecute: ({ executeFn, setExecuteFn }) => {
      setExecuteFn(async (args: Parameters<typeof executeFn>[0]) => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<ExecutionResult>((resolve) => {
          timer = setTimeout(() => resolve({ errors: [lateError(requestSeconds)] }), requestSeconds * 1_000);
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

function lateError(requestSeconds: number): GraphQLError {
  return new GraphQLError(
    `The operation took longer than ${requestSeconds} s and was given up. A mutation may have been done: look before you repeat it.`,
    { extensions: { code: "QSC_GRAPHQL_TIMEOUT" } },
  );
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
