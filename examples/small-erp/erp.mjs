import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A very small ERP: orders and products over HTTP with JSON, and a switch. While it is down its data port really is closed, as a real ERP's is
 * during a patch; whoever calls gets "connection refused".
 *
 * Data port:    GET /orders?since=<ISO>&limit=<n>   GET /products   GET /health
 * Control port: GET /state   POST /down   POST /up   (curl -X POST http://127.0.0.1:4101/down)
 */
const ORDER_EVERY_MS = 2_000;
/** The price list is computed, as in many an ERP: a run that reads it is in flight for a while, so a window can open in the middle of it. */
const PRICE_LIST_MS = 2_000;
const CUSTOMERS = ["Nordwind", "Casa Verde", "Blue Harbour", "Atelier Ito", "Kestrel & Co"];

/** Starts the ERP. A port is taken as asked for; one given as a wish (`{ preferred }`) makes room for a free one when it is taken. */
export async function startErp({ dataPort, controlPort }) {
  const { orders, products, takeOrder } = openBooks();
  const data = createServer((request, response) => answerData({ request, response, orders, products }));
  const control = createServer(async (request, response) => {
    if (request.method === "POST" && request.url === "/down") await down();
    else if (request.method === "POST" && request.url === "/up") await up();
    return json(response, 200, { state: data.listening ? "up" : "down", orders: orders.length });
  });
  const taken = await listen(data, dataPort);
  await listen(control, controlPort);
  const up = async () => {
    if (!data.listening) await listen(data, taken);
  };
  const down = async () => {
    if (!data.listening) return;
    data.closeAllConnections();
    await new Promise((resolve) => data.close(resolve));
  };
  const selling = setInterval(takeOrder, ORDER_EVERY_MS);
  return {
    url: `http://127.0.0.1:${taken}`,
    controlUrl: `http://127.0.0.1:${control.address().port}`,
    async stop() {
      clearInterval(selling);
      await down();
      control.closeAllConnections();
      await new Promise((resolve) => control.close(resolve));
    },
  };
}

/** Products, and orders that grow: twenty at first, then one every two seconds, also while the data port is closed. */
function openBooks() {
  const products = ["chair", "table", "lamp", "shelf", "rug", "desk"].map((name, index) => ({
    id: `P-${index + 1}`,
    name,
    price: 20 + index * 15,
    stock: 100,
    changed_at: new Date().toISOString(),
  }));
  const orders = [];
  const takeOrder = () => {
    const number = 1_001 + orders.length;
    const product = products[number % products.length];
    const at = new Date().toISOString();
    const amount = 1 + (number % 4);
    product.stock = product.stock > 5 ? product.stock - 1 : 100;
    product.changed_at = at;
    orders.push({
      id: `SO-${number}`,
      customer: CUSTOMERS[number % CUSTOMERS.length],
      product: product.id,
      amount,
      total: product.price * amount,
      changed_at: at,
    });
  };
  for (let first = 0; first < 20; first += 1) takeOrder();
  return { orders, products, takeOrder };
}

async function answerData({ request, response, orders, products }) {
  const url = new URL(request.url ?? "/", "http://erp");
  switch (url.pathname) {
    case "/health":
      return json(response, 200, { status: "up", orders: orders.length });
    case "/products":
      await sleep(PRICE_LIST_MS);
      return json(response, 200, { items: products });
    case "/orders": {
      const since = url.searchParams.get("since") ?? "";
      const limit = Math.min(500, Number(url.searchParams.get("limit") ?? 100));
      return json(response, 200, { items: orders.filter((order) => order.changed_at >= since).slice(0, limit) });
    }
    default:
      return json(response, 404, { error: `There is no ${url.pathname} here.` });
  }
}

function json(response, status, body) {
  if (!response.destroyed) response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Listens on a port of the loopback address and answers which. */
async function listen(server, port) {
  try {
    return await listenOn(server, typeof port === "number" ? port : port.preferred);
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    if (typeof port === "number")
      throw new Error(`Port ${port} of 127.0.0.1 is taken. Free it, or choose others with ERP_PORT and ERP_CONTROL_PORT.`, {
        cause: error,
      });
    return listenOn(server, 0);
  }
}

function listenOn(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve(server.address().port);
    });
  });
}
