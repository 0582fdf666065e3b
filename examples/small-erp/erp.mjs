import { createServer } from "node:http";

/**
 * A very small ERP: orders and products over HTTP with JSON, and a switch. While it is down its data port really is closed, as a real ERP's is
 * during a patch; whoever calls gets "connection refused".
 *
 * Data port:    GET /orders?since=<ISO>&limit=<n>   GET /products   GET /health
 * Control port: GET /state   POST /down   POST /up   (curl -X POST http://127.0.0.1:4101/down)
 */
const ORDER_EVERY_MS = 2_000;
const CUSTOMERS = ["Nordwind", "Casa Verde", "Blue Harbour", "Atelier Ito", "Kestrel & Co"];
const PRODUCTS = ["chair", "table", "lamp", "shelf", "rug", "desk"].map((name, index) => ({
  id: `P-${index + 1}`,
  name,
  price: 20 + index * 15,
  stock: 100,
  changed_at: new Date().toISOString(),
}));

/** Starts the ERP; `onCall` hears of every call that reached it. */
export async function startErp({ dataPort = 4_100, controlPort = 4_101, onCall = () => undefined } = {}) {
  const orders = [];
  let numbered = 1_000;
  const takeOrder = () => {
    numbered += 1;
    const product = PRODUCTS[numbered % PRODUCTS.length];
    product.stock = product.stock > 5 ? product.stock - 1 : 100;
    product.changed_at = new Date().toISOString();
    const order = {
      id: `SO-${numbered}`,
      customer: CUSTOMERS[numbered % CUSTOMERS.length],
      product: product.id,
      amount: 1 + (numbered % 4),
      total: product.price * (1 + (numbered % 4)),
      changed_at: new Date().toISOString(),
    };
    orders.push(order);
    return order;
  };
  for (let first = 0; first < 20; first += 1) takeOrder();

  const data = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://erp");
    onCall(url.pathname);
    if (url.pathname === "/health") return json(response, 200, { status: "up", orders: orders.length });
    if (url.pathname === "/products") return json(response, 200, { items: PRODUCTS });
    if (url.pathname === "/orders") {
      const since = url.searchParams.get("since") ?? "";
      const limit = Math.min(500, Number(url.searchParams.get("limit") ?? 100));
      return json(response, 200, { items: orders.filter((order) => order.changed_at >= since).slice(0, limit) });
    }
    return json(response, 404, { error: `There is no ${url.pathname} here.` });
  });
  const down = async () => {
    if (!data.listening) return;
    data.closeAllConnections();
    await new Promise((resolve) => data.close(resolve));
  };
  const up = () => (data.listening ? undefined : listen(data, dataPort));

  const control = createServer(async (request, response) => {
    if (request.method === "POST" && request.url === "/down") await down();
    else if (request.method === "POST" && request.url === "/up") await up();
    else if (request.method === "POST" && request.url === "/order") takeOrder();
    return json(response, 200, { state: data.listening ? "up" : "down", orders: orders.length });
  });
  await up();
  await listen(control, controlPort);
  const selling = setInterval(takeOrder, ORDER_EVERY_MS);
  return {
    url: `http://127.0.0.1:${data.address().port}`,
    controlUrl: `http://127.0.0.1:${control.address().port}`,
    async stop() {
      clearInterval(selling);
      await down();
      control.closeAllConnections();
      await new Promise((resolve) => control.close(resolve));
    },
  };
}

function json(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(error.code === "EADDRINUSE" ? new Error(`The example's ERP wants port ${port} of 127.0.0.1, which is taken. Start with --no-example, or free the port.`) : error),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
}
