import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Two systems behind one address: people are read from /erp and written to /shop, which may refuse some. */
export interface PeopleSystems {
  readonly url: string;
  /** What the source has, by key. */
  readonly erp: Map<string, object>;
  /** What the target has, by key. */
  readonly shop: Map<string, object>;
  /** Keys that the target refuses. */
  readonly refused: Set<string>;
  stop(): Promise<void>;
}

export async function startPeopleSystems(): Promise<PeopleSystems> {
  const [erp, shop, refused] = [new Map<string, object>(), new Map<string, object>(), new Set<string>()];
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const [, place = "", , key] = (request.url ?? "").split("?")[0]?.split("/") ?? [];
    if (request.method === "GET") return answer(200, { items: [...(place === "erp" ? erp : shop).values()] });
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const name = decodeURIComponent(key ?? "");
      if (refused.has(name)) return answer(422, { message: "the address has no town" });
      shop.set(name, JSON.parse(Buffer.concat(chunks).toString("utf8")) as object);
      return answer(200, {});
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    erp,
    shop,
    refused,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A workspace over them: one integration with records, three without. */
export function peopleWorkspace({ url }: PeopleSystems, fields: object): object {
  const stream = { name: "people", key: ["id"], recordsPath: "items" };
  const endpoint = { connector: "http", allowPrivate: ["127.0.0.1"] };
  return {
    quiesce: 1,
    systems: [
      { key: "erp", name: "ERP", kind: "erp", tags: ["core"], ownerTeam: "erp-team" },
      { key: "shop", name: "Shop", dependsOn: [{ system: "erp", strength: "hard" }] },
      { key: "warehouse", name: "Warehouse", dependsOn: [{ system: "erp", strength: "soft" }] },
      { key: "archive", name: "Archive" },
    ],
    endpoints: [
      { key: "erp-api", system: "erp", ...endpoint, config: { baseUrl: url, streams: [{ ...stream, path: "/erp/people" }] } },
      {
        key: "shop-api",
        system: "shop",
        ...endpoint,
        config: { baseUrl: url, streams: [{ ...stream, path: "/shop/people", write: { path: "/shop/people/{key}" } }] },
      },
    ],
    integrations: [
      {
        key: "people",
        name: "People into the shop",
        source: "erp-api",
        target: "shop-api",
        ownerTeam: "sales-team",
        tags: ["people"],
        streams: [{ stream: "people", mapping: { key: "id", fields } }],
      },
      { key: "orders", name: "Orders to the ERP", via: ["shop", "erp"], tags: ["sales"], ownerTeam: "sales-team", criticality: "high" },
      { key: "invoices", name: "Invoices", via: ["erp"], criticality: "critical", ownerTeam: "finance" },
      { key: "stock", name: "Stock levels", via: ["warehouse", "archive"] },
    ],
    jobs: [
      { key: "people-sync", integration: "people" },
      { key: "orders-hourly", integration: "orders", schedule: { cron: "0 * * * *" } },
      { key: "invoices-nightly", integration: "invoices", schedule: { cron: "0 2 * * *" } },
      { key: "stock-hourly", integration: "stock", schedule: { cron: "30 * * * *" } },
    ],
  };
}

/** The mapping's fields as they are at first. */
export const firstFields = { id: { from: "id" }, name: { from: "name" }, town: { from: "town" } };
