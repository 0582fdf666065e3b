import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CommandLineServer, commandLineServer, runCommandLine } from "../../../../../test/server/command-line.js";
import { admitSamples } from "../../ingest/admit-samples.js";
import { sendSamples } from "../operations/send-samples.js";

const day = 86_400_000;
const minute = 60_000;
let server: CommandLineServer;
/** A midnight of UTC that is over. */
let start: number;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const iso = (at: number) => new Date(at).toISOString();
const period = () => ["--from", iso(start), "--to", iso(start + day)];
const csv = async (name: string, text: string | Buffer): Promise<string> => {
  const file = join(server.folder, name);
  await writeFile(file, text);
  return file;
};
const keys = ["", "a", "=1+1", "'=1", "''@x", "'plain", 'with "quotes", and commas', "two\nlines", "-", "ü€😀", "null", "\ttab"];
/** Two a minute of a day's first three hours, some of one millisecond, with keys of all kinds. */
const original = () =>
  Array.from({ length: 180 }, (_, n) => ({ integration: "orders", at: iso(start + n * minute), ok: n % 7 !== 0 })).flatMap((one, n) => [
    { ...one, metric: "response", value: (n * 37) % 1_000, key: keys[n % keys.length] ?? "" },
    { ...one, metric: "response", value: 0.1 + n / 3, key: `second ${n}` },
    { ...one, metric: "delivery", value: 1, key: "" },
  ]);
const kpi = async (name: string, integration: string) =>
  JSON.parse((await quiesce("kpi", "show", name, "-i", integration, ...period(), "--json")).out) as {
    readonly current: { readonly samples: number };
  };
async function summedUp(integration: string, samples: number): Promise<void> {
  const figures = async () => [
    (await kpi("delivery-success", integration)).current.samples,
    (await kpi("response-time", integration)).current.samples,
  ];
  // Each metric is summed up by itself.
  await vi.waitFor(async () => expect(await figures()).toEqual([samples, 2 * samples]), { timeout: 60_000, interval: 200 });
}

beforeAll(async () => {
  server = await commandLineServer({ name: "samples" });
  const workspace = { quiesce: 1, integrations: [{ key: "orders" }, { key: "copy" }, { key: "empty" }] };
  const file = await csv("workspace.json", JSON.stringify(workspace));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  start = Math.floor(Date.now() / day) * day - 2 * day;
  const response = await fetch(`${server.app.url}/ingest/samples`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${server.app.firstToken ?? ""}` },
    body: original()
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(""),
  });
  expect(await response.json()).toMatchObject({ accepted: 540, refused: 0 });
  await summedUp("orders", 180);
});
afterAll(async () => {
  await server?.close();
});

describe("samples as CSV", () => {
  it("law: what was exported and imported elsewhere comes to the same figures", async () => {
    const { code, out, err } = await quiesce("samples", "export", "-i", "orders", ...period());
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\r\n", 1)).toEqual(["integration,metric,at,value,ok,key"]);
    const file = await csv("copy.csv", out.replaceAll(/^orders,/gm, "copy,"));
    const imported = await quiesce("samples", "import", file);
    expect(imported).toEqual({ code: 0, out: "Accepted 540, 0 known already, none refused, of 540 lines.\n", err: "" });
    await summedUp("copy", 180);
    for (const name of ["response-time", "delivery-success"]) {
      const [mine, theirs] = [await kpi(name, "orders"), await kpi(name, "copy")];
      expect(theirs.current).toEqual(mine.current);
      expect(theirs.current.samples).toBeGreaterThan(0);
    }
    // And byte by byte, keys that a spreadsheet would run among them.
    const again = await quiesce("samples", "export", "-i", "copy", ...period());
    expect(again.out.replaceAll(/^copy,/gm, "orders,")).toBe(out);
    for (const { key } of original()) expect(await stored("copy", key)).toBeGreaterThan(0);
  });

  it("may be imported again: nothing counts twice", async () => {
    const out = (await quiesce("samples", "export", "-i", "orders", "-m", "response", ...period())).out;
    const file = await csv("again.csv", out);
    expect((await quiesce("samples", "import", file)).out).toBe("Accepted 0, 360 known already, none refused, of 360 lines.\n");
  });

  it("are exported page by page, each once", async () => {
    const file = await csv(
      "many.csv",
      [
        "integration,metric,at,value,key",
        ...Array.from({ length: 25_000 }, (_, n) => `empty,many.samples,${iso(start + Math.floor(n / 4))},${n},${n}`),
      ].join("\n"),
    );
    expect((await quiesce("samples", "import", file)).out).toMatch(/^Accepted 25000,/);
    const { out } = await quiesce("samples", "export", "-i", "empty", ...period());
    const values = out
      .trim()
      .split("\r\n")
      .slice(1)
      .map((line) => Number(line.split(",")[3]));
    expect(values).toHaveLength(25_000);
    expect(new Set(values).size).toBe(25_000);
  });

  it("of minutes, hours and days are what they came to", async () => {
    const target = join(server.folder, "hours.csv");
    const { code, err } = await quiesce("samples", "export", "-i", "orders", "-m", "response", "--hour", ...period(), "-o", target);
    expect({ code, err }).toEqual({ code: 0, err: `3 lines are written to ${target}.\n` });
    const [header, first] = (await readFile(target, "utf8")).split("\r\n");
    expect(header).toBe("integration,metric,class,at,samples,good,marked,sum,min,max,mean,p50,p95,p99");
    const values = original().filter(({ metric, at }) => metric === "response" && Date.parse(at) < start + 60 * minute);
    const [integration, metric, of, at, samples, good, marked, sum, min, max] = first?.split(",") ?? [];
    expect([integration, metric, of, at, samples]).toEqual(["orders", "response", "hour", iso(start), "120"]);
    expect(Number(good)).toBe(values.filter(({ ok }) => ok).length);
    expect(Number(marked)).toBe(120);
    expect(Number(sum)).toBeCloseTo(
      values.reduce((so, { value }) => so + value, 0),
      3,
    );
    expect([Number(min), Number(max)]).toEqual([
      Math.min(...values.map(({ value }) => value)),
      Math.max(...values.map(({ value }) => value)),
    ]);
    expect(
      (await quiesce("samples", "export", "-i", "orders", "-m", "response", "--minute", ...period())).out.trim().split("\r\n"),
    ).toHaveLength(181);
    const days = (await quiesce("samples", "export", "-i", "orders", "--day", ...period())).out;
    expect(days.trim().split("\r\n")).toHaveLength(3);
    expect(await quiesce("samples", "import", await csv("days.csv", days))).toMatchObject({
      code: 2,
      err: expect.stringContaining("Sums cannot be imported"),
    });
    expect(await quiesce("samples", "export", "-i", "orders", "--day", "--hour")).toMatchObject({ code: 2 });
  });

  it("says that there is nothing, and of what there is nothing", async () => {
    expect(await quiesce("samples", "export", "-i", "orders", "-m", "speed")).toEqual({
      code: 0,
      out: "integration,metric,at,value,ok,key\r\n",
      err: "There is nothing of it in this period.\n",
    });
    expect(await quiesce("samples", "export", "-i", "nowhere")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_INTEGRATION_NOT_FOUND"),
    });
    expect(await quiesce("samples", "export", "-i", "orders", "--from", "2027-01-02", "--to", "2027-01-01")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_KPI_PERIOD"),
    });
  });

  it("tells each refused line with its number and reason, takes the others, and ends with 1", async () => {
    const file = await csv(
      "some.csv",
      [
        "Metric,at,VALUE,integration,ok,key",
        `some,${iso(start)},1,orders,,`,
        `some,${iso(start).replace("Z", "")},1,orders,true,`,
        `some,${iso(start)},-1,orders,true,`,
        "",
        `some,${iso(start)},2,nowhere,true,`,
        `some,${iso(start)},2,orders,perhaps,`,
        `some,${iso(start)},2`,
        `some,2020-01-01T00:00:00Z,2,orders,true,`,
        `some,${iso(start)},0x10,orders,true,`,
        `some,${iso(start + 3_600_000).replace("Z", "+01:00")},3,orders,FALSE,"k"`,
      ].join("\r\n"),
    );
    const { code, out, err } = await quiesce("samples", "import", file);
    expect(code).toBe(1);
    expect(out).toBe("Accepted 2, 0 known already, 7 refused, of 9 lines.\n");
    const told = err
      .trim()
      .split("\n")
      .map((line) => line.replace(`${file}:`, ""));
    expect(told.map((line) => line.split(":")[0])).toEqual(["3", "4", "6", "7", "8", "9", "10"]);
    expect(told[0]).toMatch(/QSC_SAMPLE_INVALID: at is an instant/);
    expect(told[2]).toMatch(/QSC_INTEGRATION_NOT_FOUND/);
    expect(told[4]).toMatch(/3 cells, the first line 6/);
    expect(told[5]).toMatch(/QSC_SAMPLE_TOO_OLD/);
    const { out: json, code: again } = await quiesce("samples", "import", file, "--json");
    expect(again).toBe(1);
    expect(JSON.parse(json)).toMatchObject({
      lines: 9,
      accepted: 0,
      duplicates: 2,
      refused: 7,
      refusals: expect.arrayContaining([expect.objectContaining({ line: 6 })]),
    });
    // The offset counts.
    const [row] = await server.app.database.sql<{ at: number; ok: boolean }[]>`
      select k.at, k.ok from kpi_sample as k join kpi_series as s on s.id = k.series_id where s.metric = 'some' and k.key = 'k'`;
    expect(row).toEqual({ at: start, ok: false });
  });

  it("tells of more refused lines than a server tells in one answer", async () => {
    const lines = Array.from({ length: 450 }, (_, n) => `${n % 3 === 0 ? "orders" : "nowhere"},told,${iso(start + n)},1`);
    const { code, err, out } = await quiesce(
      "samples",
      "import",
      await csv("told.csv", ["integration,metric,at,value", ...lines].join("\n")),
    );
    expect({ code, out }).toEqual({ code: 1, out: "Accepted 150, 0 known already, 300 refused, of 450 lines.\n" });
    const numbers = err
      .trim()
      .split("\n")
      .map((line) => Number(/told\.csv:(\d+):/.exec(line)?.[1]));
    expect(numbers).toEqual(lines.flatMap((line, n) => (line.startsWith("nowhere") ? [n + 2] : [])));
  });

  it("are only asked about with --dry-run: nothing is written, not even a metric", async () => {
    const file = await csv(
      "dry.csv",
      `integration,metric,at,value\norders,dry.metric,${iso(start)},1\nnowhere,dry.metric,${iso(start)},1\n`,
    );
    const { code, out, err } = await quiesce("samples", "import", file, "--dry-run");
    expect({ code, out }).toEqual({ code: 1, out: "1 would be accepted, 1 refused, of 2 lines. Nothing was written.\n" });
    expect(err).toMatch(/dry\.csv:3: QSC_INTEGRATION_NOT_FOUND/);
    expect((await server.app.database.sql`select from kpi_series where metric = 'dry.metric'`).length).toBe(0);
  });

  it("are refused by --dry-run as by the import itself where an integration has no room for more metrics, over several requests", async () => {
    const line = (metric: string, n: number): string => `copy,${metric},${iso(start + n)},1`;
    const lines = [
      ...Array.from({ length: 10_000 }, (_, n) => line(`many.a${n % 150}`, n)),
      ...Array.from({ length: 240 }, (_, n) => line(`many.b${n % 60}`, n)),
    ];
    const file = await csv("many.csv", ["integration,metric,at,value", ...lines].join("\n"));
    const count = async (...more: readonly string[]) => {
      const { out } = await quiesce("samples", "import", file, "--json", ...more);
      const { lines: read, accepted, marked, refused } = JSON.parse(out) as { readonly [name: string]: number };
      return { read, accepted, marked, refused };
    };
    const asked = await count("--dry-run");
    expect(asked.refused).toBeGreaterThan(0);
    expect(asked).toEqual(await count());
  });

  it("wait for a server that is busy", async () => {
    const leave = await Promise.all([1, 2, 3, 4].map(() => admitSamples(server.app.database)));
    const waits: number[] = [];
    const onBusy = (seconds: number): void => {
      waits.push(seconds);
      for (const one of leave) one();
    };
    const connection = { url: server.app.url, token: server.app.firstToken ?? "", tokenSource: "the test" };
    const sample = { integration: "orders", metric: "busy", at: start, value: 1 };
    expect(await sendSamples({ connection, isTrial: false, onBusy }, [sample])).toMatchObject({ accepted: 1 });
    expect(waits).toEqual([1]);
  });

  it.each([
    ["semicolons", "integration;metric;at;value\n", /something else than commas/],
    ["a column that is missing", "integration,metric,value\n", /no column at\./],
    ["a column that is not known", "integration,metric,at,value,valu\n", /unknown columns valu\./],
    ["a column that is there twice", "integration,metric,at,value,at\n", /column at is there twice/],
    ["no line at all", "", /is empty/],
    ["another encoding", Buffer.from([105, 0xff, 0xfe]), /not UTF-8/],
  ])("are not read of a file with %s", async (_name, text, message) => {
    expect(await quiesce("samples", "import", await csv("odd.csv", text))).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(message),
    });
  });

  it("are read of standard input, with a mark at its beginning as well, and not of what is no file", async () => {
    const input = `\u{FEFF}integration,metric,at,value\norders,piped,${iso(start)},1\n`;
    const variables = { QUIESCE_URL: server.app.url, QUIESCE_TOKEN: server.app.firstToken ?? "" };
    expect(await runCommandLine(["samples", "import", "-"], { folder: server.folder, variables, input })).toMatchObject({
      code: 0,
      out: expect.stringContaining("Accepted 1,"),
    });
    expect(await quiesce("samples", "import", join(server.folder, "none.csv"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no such file"),
    });
    expect(await quiesce("samples", "import", server.folder)).toMatchObject({ code: 2, err: expect.stringContaining("it is a folder") });
  });

  it("that broke off say how far they came", async () => {
    const lines = Array.from({ length: 10_001 }, (_, n) => `orders,broken,${iso(start + n)},1`);
    const file = await csv("broken.csv", ["integration,metric,at,value", ...lines, '"orders,broken'].join("\n"));
    const { code, err } = await quiesce("samples", "import", file);
    expect(code).toBe(2);
    expect(err).toMatch(/^10000 samples are in\. Run the command again/);
    expect(err).toMatch(/broken\.csv:10003: a quote is opened here and never closed/);
    expect(await server.as("qsc_no", "samples", "import", file)).toMatchObject({ code: 4 });
  });
});

async function stored(integration: string, key: string): Promise<number> {
  const [row] = await server.app.database.sql<{ n: number }[]>`
    select count(*)::integer as n from kpi_sample as k join kpi_series as s on s.id = k.series_id join integration as i on i.id = s.integration_id
    where i.key = ${integration} and k.key = ${key}`;
  return row?.n ?? 0;
}

describe("quiesce samples retention", () => {
  it("is shown, said by metric, and taken back", async () => {
    const { out } = await quiesce("samples", "retention", "show");
    expect(out).toMatch(/every other +14 d +35 d +800 d +for good +the first/);
    const set = await quiesce("samples", "retention", "set", "response", "--samples", "7", "--days", "1000", "-r", "room");
    expect(set).toMatchObject({ code: 0, out: expect.stringMatching(/response +7 d \* +35 d +800 d +1000 d \*/) });
    await quiesce("samples", "retention", "set", "--samples", "60", "-r", "the auditors");
    const shown = JSON.parse((await quiesce("samples", "retention", "show", "--json")).out) as readonly object[];
    expect(shown).toMatchObject([
      { metric: null, said: { sample: 60, minute: null }, inForce: { sample: 60, minute: 60, hour: 800, day: null } },
      { metric: "response", said: { sample: 7, day: 1_000 }, inForce: { sample: 7, minute: 35 }, samplesFrom: null },
    ]);
    await quiesce("samples", "retention", "set", "response", "--as-usual", "-r", "enough room");
    expect((await quiesce("samples", "retention", "show")).out).not.toMatch(/response/);
    expect((await quiesce("audit", "list", "--json")).out).toMatch(/control\.set-sample-retention/);
  });

  it("is refused with what would fit", async () => {
    const set = (...args: readonly string[]) => quiesce("samples", "retention", "set", ...args, "-r", "room");
    expect(await set("response", "--minutes", "7")).toMatchObject({ code: 1, err: expect.stringContaining("expected 35 to 36500") });
    expect(await set("response", "--minutes", "seven")).toMatchObject({ code: 2, err: expect.stringContaining("whole days") });
    expect(await set("response")).toMatchObject({ code: 2, err: expect.stringContaining("--as-usual") });
    expect(await set("response", "--samples", "7", "--as-usual")).toMatchObject({ code: 2 });
  });
});
