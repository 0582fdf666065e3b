import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFaultProxy, type FaultProxy } from "./index.js";

let system: Server;
let proxy: FaultProxy;
let received: string[];
beforeEach(async () => {
  received = [];
  system = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk.toString());
      socket.write("0123456789");
    });
  }).listen(0, "127.0.0.1");
  await once(system, "listening");
  const address = system.address();
  proxy = await startFaultProxy({ host: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 });
});
afterEach(async () => {
  await proxy.stop();
  system.close();
});

/** What comes back of one question: the text until `bytes` came, the connection ended, or three seconds passed. */
async function ask(bytes = 10): Promise<{ readonly text: string; readonly end: "open" | "closed" }> {
  const socket: Socket = connect(proxy.port, proxy.host);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise<"closed">((resolve) => socket.on("close", () => resolve("closed")).on("error", () => undefined));
  socket.write("question");
  const enough = (async () => {
    const deadline = performance.now() + 3_000;
    while (text.length < bytes && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    return "open" as const;
  })();
  const end = await Promise.race([closed, enough]);
  socket.destroy();
  return { text, end };
}

describe("a proxy", () => {
  test("passes everything on, and counts the bytes of answers", async () => {
    expect(await ask()).toEqual({ text: "0123456789", end: "open" });
    expect(proxy.answerBytes).toBe(10);
    expect(received).toEqual(["question"]);
  });

  test("cuts connections at once, or takes them and says nothing", async () => {
    proxy.inject({ kind: "reset" });
    expect(await ask()).toEqual({ text: "", end: "closed" });
    proxy.inject({ kind: "black-hole" });
    expect(await ask()).toEqual({ text: "", end: "open" });
    await proxy.met();
    expect(received).toEqual([]);
  });

  test("cuts the connection after so many bytes, or falls silent; the system has heard the question", async () => {
    proxy.inject({ kind: "cut", afterBytes: 4, how: "reset" });
    expect(await ask()).toEqual({ text: "0123", end: "closed" });
    proxy.inject({ kind: "cut", afterBytes: 4, how: "stall" });
    expect(await ask()).toEqual({ text: "0123", end: "open" });
    await proxy.met();
    expect(received).toEqual(["question", "question"]);
    proxy.clear();
    expect((await ask()).text).toBe("0123456789");
  });

  test("delays answers", async () => {
    proxy.inject({ kind: "delay", ms: 80 });
    const begun = performance.now();
    expect((await ask()).text).toBe("0123456789");
    expect(performance.now() - begun).toBeGreaterThan(70);
  });

  test("that was stopped refuses connections, and can be stopped again", async () => {
    await proxy.stop();
    await proxy.stop();
    expect(await ask()).toEqual({ text: "", end: "closed" });
  });
});
