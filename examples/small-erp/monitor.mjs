import { createServer } from "node:http";

const CHECK_EVERY_MS = 1_000;
/** So many bad checks in a row are an alert. */
const BAD_CHECKS = 3;
/** Said again while it lasts, as Alertmanager does: what was not heard is heard later. */
const REPEAT_MS = 10_000;

/**
 * A very small monitor: it asks the ERP for its health every second, and tells Quiesce by the webhook of Alertmanager when it does not answer, and when
 * it does again. It knows nothing of maintenance windows. `secret` is what its webhook carries; `url` is where it answers itself.
 */
export async function startMonitor({ erpUrl, secret }) {
  let hook;
  let bad = 0;
  let since = null;
  let toldAt = 0;
  const tell = async (status) => {
    toldAt = Date.now();
    const alert = {
      status,
      fingerprint: "erp-health",
      labels: { alertname: "The ERP does not answer", system: "erp", severity: "critical" },
      startsAt: since.toISOString(),
      endsAt: (status === "resolved" ? new Date() : new Date(Date.now() + 60_000)).toISOString(),
    };
    const response = await fetch(hook, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: JSON.stringify({ version: "4", alerts: [alert] }),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  };
  const look = async () => {
    const isUp = await fetch(`${erpUrl}/health`, { signal: AbortSignal.timeout(CHECK_EVERY_MS) }).then(
      (response) => response.ok,
      () => false,
    );
    bad = isUp ? 0 : bad + 1;
    if (isUp && since !== null) {
      await tell("resolved");
      since = null;
    } else if (bad >= BAD_CHECKS) {
      since ??= new Date();
      if (Date.now() - toldAt >= REPEAT_MS) await tell("firing");
    }
  };
  // A word that did not arrive is said again at the next check.
  let busy = false;
  const turn = () => {
    if (busy || hook === undefined) return;
    busy = true;
    look()
      .catch(() => (toldAt = 0))
      .finally(() => (busy = false));
  };
  const api = createServer((request, response) => {
    const known = { "/api/v2/status": { cluster: { status: "ready" } }, "/api/v2/alerts": [] }[request.url?.split("?")[0]];
    response.writeHead(known === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(known ?? {}));
  });
  await new Promise((resolve, reject) => api.once("error", reject).listen(0, "127.0.0.1", resolve));
  const timer = setInterval(turn, CHECK_EVERY_MS);
  return {
    url: `http://127.0.0.1:${api.address().port}`,
    /** From now on it tells this address. */
    tellTo(address) {
      hook = address;
    },
    stop() {
      clearInterval(timer);
      api.closeAllConnections();
      api.close();
    },
  };
}
