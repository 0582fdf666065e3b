import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

// The commands against the real server, which fetches from a vendor's.
let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
let vendor: Server;
let status = 200;

const event = (uid: string, more = "") =>
  `BEGIN:VEVENT\r\nUID:${uid}\r\nSUMMARY:Vendor ${uid}\r\nDTSTART:20990101T000000Z\r\nDTEND:20990101T040000Z\r\n${more}END:VEVENT\r\n`;
const calendar = (...events: readonly string[]) => `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${events.join("")}END:VCALENDAR\r\n`;

beforeAll(async () => {
  server = await commandLineServer({ name: "calendar", input: calendar(event("stdin")) });
  vendor = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "text/calendar" }).end(calendar(event("a"), event("b", "RRULE:FREQ=SECONDLY\r\n")));
  });
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  vendor.close();
  await server.close();
});

const whose = ["--all", "--owner", "erp-team", "--reason", "Vendor"];

describe("quiesce calendar feed", () => {
  it("makes an address that programs read, lists it without, and ends it", async () => {
    const made = await quiesce("calendar", "feed", "create", "--title", "Everything", "--all");
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining("not shown again") });
    const address = made.out.trim();
    expect((await fetch(address)).status).toBe(200);
    const listed = await quiesce("calendar", "feed", "list");
    expect(listed.out).toMatch(/Everything +all +valid/);
    expect(listed.out).not.toContain(address.slice(-20));
    expect(await quiesce("calendar", "feed", "revoke", "1")).toMatchObject({ code: 0, out: "Feed 1 (Everything) is revoked.\n" });
    expect((await fetch(address)).status).toBe(404);
  });

  it("wants to know whose windows it should show", async () => {
    expect(await quiesce("calendar", "feed", "create", "--title", "x")).toMatchObject({ code: 2 });
    expect(await quiesce("calendar", "feed", "create", "--title", "x", "--all", "--team", "y")).toMatchObject({ code: 2 });
  });
});

describe("quiesce calendar import", () => {
  it("shows what it would do, does it, names what was not understood, and keeps in step", async () => {
    const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/maintenance.ics`;
    const dry = await quiesce("calendar", "import", url, "--key", "vendor", ...whose, "--every", "1h", "--dry-run");
    expect(dry.out).toMatch(/^added {2}vendor-[0-9a-f]{10} {2}Vendor a\nnot understood {2}Vendor b \(b\): FREQ=SECONDLY is not accepted/);
    expect(dry.out).toContain("Would import: 1 added, 0 changed, 0 removed, 0 as before, 1 not understood.");
    expect((await quiesce("calendar", "list")).out).not.toContain("vendor");
    const made = await quiesce("calendar", "import", url, "--key", "vendor", ...whose, "--every", "1h");
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining("Imported as vendor: 1 added") });
    expect((await quiesce("calendar", "list")).out).toMatch(/vendor +http:\/\/127\.0\.0\.1:\d+ +1 +1 .*in step/);
    expect(await quiesce("calendar", "sync", "vendor")).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 as before, 1 not understood"),
    });
    status = 500;
    expect(await quiesce("calendar", "sync", "vendor")).toMatchObject({ code: 1, err: expect.stringContaining("HTTP 500") });
    expect((await quiesce("calendar", "list")).out).toMatch(/failing \(1\)/);
    expect(await quiesce("calendar", "remove", "vendor", "-r", "sold")).toMatchObject({ code: 0 });
  });

  it("takes a file or standard input, and the same key again changes the import", async () => {
    const file = join(server.folder, "Vendor Plan.ics");
    await writeFile(file, calendar(event("x"), event("y")));
    expect((await quiesce("calendar", "import", file, ...whose)).out).toContain("Imported as vendor-plan: 2 added");
    await writeFile(file, calendar(event("y")));
    expect((await quiesce("calendar", "import", file, ...whose)).out).toContain(
      "Imported as vendor-plan: 0 added, 0 changed, 1 removed, 1 as before",
    );
    expect((await quiesce("calendar", "import", "-", "--key", "piped", ...whose)).out).toContain("Imported as piped: 1 added");
    expect(await quiesce("calendar", "import", file, "--every", "1h", ...whose)).toMatchObject({ code: 2 });
    expect(await quiesce("calendar", "import", file, "--map-zone", "x", ...whose)).toMatchObject({ code: 2 });
  });
});
