import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const CGI_FOLDER = "/usr/lib/cgi-bin/nagios4";
const MAX_BODY_BYTES = 65_536;

/** Where the bridge listens, and how it ends. */
export interface NagiosCgiBridge {
  /** The address of the CGIs, such as http://127.0.0.1:41234/cgi-bin/nagios4. */
  readonly url: string;
  /** Called for each request, before its CGI runs and again when it has: what it waits for, the client waits for. */
  intercept: ((moment: "before" | "after", request: IncomingMessage) => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** What a web server does for Nagios's CGIs (RFC 3875) and nothing else: Basic authentication, their environment, their answer. */
export async function startNagiosCgiBridge(options: {
  readonly cgiConfig: string;
  readonly accounts: ReadonlyMap<string, string>;
}): Promise<NagiosCgiBridge> {
  let bridge: NagiosCgiBridge;
  const server = createServer((request, response) => {
    const intercept = async (moment: "before" | "after"): Promise<void> => bridge.intercept?.(moment, request);
    void answer(request, response, { ...options, intercept }).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  bridge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cgi-bin/nagios4`,
    intercept: undefined,
    close: () => closeServer(server),
  };
  return bridge;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: {
    readonly cgiConfig: string;
    readonly accounts: ReadonlyMap<string, string>;
    readonly intercept: (moment: "before" | "after") => Promise<void>;
  },
): Promise<void> {
  const user = accountOf(request, options.accounts);
  if (user === undefined) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="Nagios Access"', "content-type": "text/html" });
    response.end("<html><body><h1>401 Unauthorized</h1></body></html>");
    return;
  }
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const program = /^\/cgi-bin\/nagios4\/([a-z]+\.cgi)$/u.exec(url.pathname)?.[1];
  if (program === undefined) {
    response.writeHead(404, { "content-type": "text/html" });
    response.end("<html><body><h1>404 Not Found</h1></body></html>");
    return;
  }
  const body = await bodyOf(request);
  await options.intercept("before");
  const output = await run(program, body, {
    NAGIOS_CGI_CONFIG: options.cgiConfig,
    TZ: "UTC",
    GATEWAY_INTERFACE: "CGI/1.1",
    REQUEST_METHOD: request.method ?? "GET",
    QUERY_STRING: url.search.slice(1),
    SCRIPT_NAME: url.pathname,
    REMOTE_USER: user,
    REMOTE_ADDR: "127.0.0.1",
    HTTP_HOST: "127.0.0.1",
    CONTENT_LENGTH: String(body.length),
    CONTENT_TYPE: request.headers["content-type"] ?? "",
    ...(request.headers.cookie === undefined ? {} : { HTTP_COOKIE: request.headers.cookie }),
  });
  await options.intercept("after");
  const { status, headers, content } = parsed(output);
  response.writeHead(status, headers);
  response.end(content);
}

function accountOf(request: IncomingMessage, accounts: ReadonlyMap<string, string>): string | undefined {
  const [user = "", ...rest] = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /u, ""), "base64")
    .toString("utf8")
    .split(":");
  const password = accounts.get(user);
  return password !== undefined && password === rest.join(":") ? user : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("The body is too large.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function run(program: string, body: Buffer, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const child = spawn(`${CGI_FOLDER}/${program}`, [], { env, stdio: ["pipe", "pipe", "ignore"] });
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  // A CGI may end without having read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(body);
  await once(child, "close");
  return Buffer.concat(parts);
}

function parsed(output: Buffer): { status: number; headers: Record<string, string>; content: Buffer } {
  const crlf = output.indexOf("\r\n\r\n");
  const end = crlf >= 0 ? crlf : output.indexOf("\n\n");
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of output.subarray(0, Math.max(end, 0)).toString("latin1").split(/\r?\n/u)) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "status") status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, content: output.subarray(end < 0 ? 0 : end + (crlf >= 0 ? 4 : 2)) };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}
