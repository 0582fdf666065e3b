import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createConnector } from "./create-connector.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-create-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a new folder holds a package that says what a connector's says", async () => {
  const { files } = await createConnector({ folder: join(folder, "my-thing"), sdk: "^1.2.3" });
  expect((await readdir(join(folder, "my-thing"), { recursive: true })).filter((name) => files.includes(name))).toHaveLength(files.length);
  const packageJson: unknown = JSON.parse(await readFile(join(folder, "my-thing/package.json"), "utf8"));
  expect(packageJson).toMatchObject({
    name: "quiesce-connector-my-thing",
    type: "module",
    keywords: ["quiesce-connector"],
    peerDependencies: { "@quiesce/sdk": "^1.2.3" },
    quiesce: { apiVersion: 1, id: "my-thing", entry: "./dist/index.js" },
  });
});

test("the package may have a name of its own", async () => {
  await createConnector({ folder: join(folder, "orders"), packageName: "@acme/quiesce-orders", sdk: "*" });
  expect(await readFile(join(folder, "orders/package.json"), "utf8")).toContain('"name": "@acme/quiesce-orders"');
});

test.each(["My-Thing", "x", "9lives", "a_b"])("the name %s is refused, and nothing is written", async (name) => {
  await expect(createConnector({ folder: join(folder, name), sdk: "*" })).rejects.toThrow(`found "${name}", expected 2 to 41`);
  expect(await readdir(folder)).toEqual([]);
});

test("a package's name that cannot be is refused", async () => {
  await expect(createConnector({ folder: join(folder, "orders"), packageName: "Acme Orders", sdk: "*" })).rejects.toThrow(
    /--name: found "Acme Orders"/u,
  );
});

test("what is in a folder is never written over", async () => {
  await mkdir(join(folder, "orders"));
  await writeFile(join(folder, "orders/notes.txt"), "mine");
  await expect(createConnector({ folder: join(folder, "orders"), sdk: "*" })).rejects.toThrow(/is not empty: it holds notes.txt/u);
  expect(await readdir(join(folder, "orders"))).toEqual(["notes.txt"]);
});
