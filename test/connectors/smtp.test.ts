import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { smtpConnector } from "@quiesce/connectors";
import type { Connector, WriteResult } from "@quiesce/sdk";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { issueCertificate, makeAuthority } from "../tls/certificates.js";
import { rejection, runContext, writeItem } from "./run-context.js";
import { inTime } from "./in-time.js";

const connector: Connector = smtpConnector;
const authority = makeAuthority("SMTP test authority");
const certificate = issueCertificate(authority, { name: "localhost" });
const USER = "quiesce";
const PASSWORD = "p@ss word";

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}
interface Server {
  readonly port: number;
  readonly mails: Received[];
  readonly connections: () => number;
}

const open: SMTPServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise<void>((resolve) => server.close(resolve))));
});

/** A real SMTP server in this process. `refuse` says of an address why it is no recipient. */
async function startServer(
  options: SMTPServerOptions & {
    readonly refuse?: (address: string) => { readonly code: number; readonly text: string } | undefined;
    readonly onMail?: (server: SMTPServer) => number | undefined;
  } = {},
): Promise<Server> {
  const mails: Received[] = [];
  const { refuse, onMail, ...more } = options;
  const server = new SMTPServer({
    ...certificate,
    authOptional: true,
    onAuth: (auth, _session, done) => {
      if (auth.username === USER && auth.password === PASSWORD) done(null, { user: USER });
      else done(Object.assign(new Error("Invalid username or password"), { responseCode: 535 }));
    },
    onRcptTo: ({ address }, _session, done) => {
      const refused = refuse?.(address);
      if (refused === undefined) done();
      else done(Object.assign(new Error(refused.text), { responseCode: refused.code }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString("utf8"),
        });
        const code = onMail?.(server);
        if (code === undefined) done();
        else if (code > 0) done(Object.assign(new Error("not now"), { responseCode: code }));
      });
    },
    ...more,
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  open.push(server);
  return { port: (server.server.address() as AddressInfo).port, mails, connections: () => server.connections.size };
}

type More = { readonly stream?: object; readonly config?: object; readonly secrets?: object; readonly signal?: AbortSignal };
function endpoint(server: Pick<Server, "port">, more: More = {}) {
  const streams = [{ name: "mail", from: "Shop <shop@example.com>", ...more.stream }];
  return runContext(connector, {
    config: { host: "localhost", port: server.port, ca: authority.cert, user: USER, ...more.config, streams },
    secrets: { password: PASSWORD, ...more.secrets },
    now: new Date("2026-11-20T08:00:00Z"),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
}
type Items = Parameters<NonNullable<typeof connector.write>["apply"]>[2];
const send = async (server: Pick<Server, "port">, items: Items, more: More = {}): Promise<readonly WriteResult[]> =>
  (await connector.write?.apply(await endpoint(server, more), "mail", items)) ?? [];
const mail = (key: string, data: Record<string, string | string[]> = {}) =>
  writeItem(key, { to: "ann@example.com", subject: `Order ${key}`, text: "Grüße", ...data });

describe("the smtp connector sends", () => {
  test("a mail for each record over one connection, with an id that a repetition has too", async () => {
    const server = await startServer();
    const results = await send(server, [
      mail("1"),
      mail("2", { to: ["Ann <ann@example.com>", "bob@example.com"], bcc: "eve@example.com", html: "<b>2</b>" }),
    ]);
    expect(results).toMatchObject([
      { key: "1", ok: true, remoteId: expect.stringMatching(/@example\.com>$/u) },
      { key: "2", ok: true },
    ]);
    expect(server.mails).toHaveLength(2);
    expect(server.mails[0]).toMatchObject({ from: "shop@example.com", to: ["ann@example.com"] });
    expect(server.mails[1]?.to).toEqual(["ann@example.com", "bob@example.com", "eve@example.com"]);
    expect(server.mails[1]?.text).not.toContain("eve@example.com");
    expect(server.mails[0]?.text).toMatch(/^Date: Fri, 20 Nov 2026 08:00:00 \+0000/mu);
    const id = /^Message-ID: (.*)$/imu.exec(server.mails[0]?.text ?? "")?.[1]?.trim();
    expect(results[0]).toMatchObject({ remoteId: id });
    expect(await send(server, [mail("1")])).toMatchObject([{ remoteId: id }]);
    await expect.poll(server.connections).toBe(0);
  });

  test("to the stream's own recipients where a record says none", async () => {
    const server = await startServer();
    await send(server, [writeItem("1", { subject: "Night job", text: "done" })], { stream: { to: "crew@example.com" } });
    expect(server.mails[0]?.to).toEqual(["crew@example.com"]);
    expect(await send(server, [writeItem("1", { subject: "Night job", text: "done" })])).toMatchObject([
      { ok: false, error: { kind: "invalid", field: "to" } },
    ]);
  });

  test("no headers, files or addresses that a record smuggles in", async () => {
    const server = await startServer();
    const results = await send(server, [
      mail("1", { subject: "Hi\r\nBcc: eve@example.com" }),
      mail("2", { to: "ann@example.com\r\nBcc: eve@example.com" }),
      writeItem("3", { to: "ann@example.com", subject: "3", text: { path: "/etc/passwd" } }),
      mail("4", { attachments: "x" }),
      writeItem("5", { subject: "5" }, { op: "delete" }),
      mail("6", { from: "boss@example.com" }),
      writeItem("7", { to: "ann@example.com", subject: "7" }),
      mail("8", { text: "ends\r\n.\r\nMAIL FROM:<eve@example.com>" }),
    ]);
    expect(results.map((result) => (result.ok ? "ok" : result.error.kind))).toEqual([...Array.from({ length: 7 }, () => "invalid"), "ok"]);
    expect(server.mails).toHaveLength(1);
    expect(JSON.stringify(server.mails)).not.toContain("root:");
  });

  test("refused recipients as invalid, the server's 'later' as transient; both leave the others alone", async () => {
    const server = await startServer({
      refuse: (address) =>
        address.startsWith("no")
          ? { code: 550, text: "no such user" }
          : address.startsWith("later")
            ? { code: 451, text: "greylisted" }
            : undefined,
    });
    const results = await send(server, [
      mail("1", { to: "no@example.com" }),
      mail("2", { to: "later@example.com" }),
      mail("3", { to: ["ann@example.com", "no@example.com"] }),
      mail("4"),
    ]);
    expect(results).toMatchObject([
      { ok: false, error: { kind: "invalid", status: 550 } },
      { ok: false, error: { kind: "transient", status: 451 } },
      { ok: false, error: { kind: "invalid", message: expect.stringContaining("refused 1 of 2 recipients") } },
      { key: "4", ok: true },
    ]);
    for (const result of results.slice(0, 2)) expect(result).not.toMatchObject({ error: { ambiguous: true } });
    expect(server.mails).toHaveLength(2);
  });
});

describe("a mail whose fate is unknown", () => {
  test("is in doubt after the server hung up over it; those behind it were not sent, and are not", async () => {
    const server = await startServer({
      onMail: (running) => {
        for (const connection of running.connections) connection.close();
        return 0;
      },
    });
    const results = await send(server, [mail("1"), mail("2")]);
    expect(results).toMatchObject([
      { ok: false, error: { kind: "unavailable", ambiguous: true } },
      { ok: false, error: { kind: "unavailable" } },
    ]);
    expect(results[1]).not.toMatchObject({ error: { ambiguous: true } });
    expect(server.mails).toHaveLength(1);
  });

  test("is in doubt after a stop, which ends within 250 ms", async () => {
    const stop = new AbortController();
    let say: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => (say = resolve));
    const server = await startServer({
      onMail: () => {
        stop.abort({ why: "window" });
        say();
        return 0;
      },
    });
    const sending = send(server, [mail("1"), mail("2")], { signal: stop.signal });
    await stopped;
    const results = await inTime(sending);
    expect(results).toMatchObject([{ error: { kind: "cancelled", ambiguous: true } }, { error: { kind: "cancelled" } }]);
    expect(results[1]).not.toMatchObject({ error: { ambiguous: true } });
  });

  test("is not in doubt if the server said no to it", async () => {
    const server = await startServer({ onMail: () => 452 });
    const [result] = await send(server, [mail("1")]);
    expect(result).toMatchObject({ ok: false, error: { kind: "transient", status: 452 } });
    expect(result).not.toMatchObject({ error: { ambiguous: true } });
    expect(connector.write?.idempotency).toBe("none");
  });
});

describe("the smtp connector classifies", () => {
  const check = async (server: Pick<Server, "port">, more: More = {}) => connector.check?.(await endpoint(server, more));

  test("a wrong password, a closed port, a server that is busy, and sends nothing to check", async () => {
    const server = await startServer();
    expect(await check(server)).toEqual({ status: "up", identity: { principal: USER } });
    expect(await rejection(check(server, { secrets: { password: "wrong" } }))).toMatchObject({ kind: "auth", info: { status: 535 } });
    expect(await rejection(check({ port: 1 }))).toMatchObject({ kind: "unavailable" });
    const busy = await startServer({ onConnect: (_session, done) => done(Object.assign(new Error("too many"), { responseCode: 421 })) });
    expect(await rejection(check(busy))).toMatchObject({ kind: "unavailable", info: { status: 421 } });
    expect(server.mails).toEqual([]);
  });

  test("encryption: demanded before the password, certificate and name checked, from the beginning or by STARTTLS", async () => {
    const direct = await startServer({ secure: true });
    await expect(check(direct, { config: { startTls: false } })).resolves.toMatchObject({ status: "up" });
    const later = await startServer();
    expect(await rejection(check(later, { config: { ca: undefined } }))).toMatchObject({ kind: "config" });
    const x = await endpoint(later, { config: { host: "mail.example.com" } });
    expect(await rejection(Promise.resolve(connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] })))).toMatchObject({
      kind: "config",
    });
    const stripped = await startServer({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    const passwords: unknown[] = [];
    const spying = await startServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => {
        passwords.push(auth.password);
        done(null, { user: USER });
      },
    });
    expect(await rejection(check(stripped))).toMatchObject({ kind: "config" });
    expect(await rejection(check(spying))).toMatchObject({ kind: "config" });
    expect(passwords).toEqual([]);
    await expect(check(spying, { config: { tls: "disable" } })).resolves.toMatchObject({ status: "up" });
  });

  test("shows a client certificate to a server that wants one; without it, or with another authority's, nothing is sent", async () => {
    for (const secure of [true, false]) {
      const server = await startServer({
        secure,
        requestCert: true,
        rejectUnauthorized: true,
        ca: [authority.cert],
        minVersion: "TLSv1.3",
      });
      const trying = (client?: { readonly cert: string; readonly key: string }) => {
        const secrets = client === undefined ? {} : { certificate: client.cert, privateKey: client.key };
        return check(server, { config: { startTls: !secure }, secrets });
      };
      await expect(trying(issueCertificate(authority, { name: "quiesce" }))).resolves.toMatchObject({ status: "up" });
      for (const client of [undefined, issueCertificate(makeAuthority("Another"), { name: "quiesce" })])
        // The refusal comes behind the handshake; a connection that is cut then may take it along.
        expect(await rejection(trying(client))).toMatchObject({ kind: expect.stringMatching(/^(?:auth|unavailable)$/u) });
    }
  });

  test("goes only to addresses that were checked, whatever the name says by itself", async () => {
    const server = await startServer();
    const x = await endpoint(server, { config: { host: "mail.example.com", tls: "require" } });
    await expect(connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] })).resolves.toMatchObject({ status: "up" });
  });
});
