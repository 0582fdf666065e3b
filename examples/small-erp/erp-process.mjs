import { startErp } from "./erp.mjs";

/** The ERP as a process of its own. It ends when whoever started it ends: their pipe closes. */
const erp = await startErp({ dataPort: Number(process.env.ERP_PORT ?? 4_100), controlPort: Number(process.env.ERP_CONTROL_PORT ?? 4_101) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
console.log(JSON.stringify({ url: erp.url, controlUrl: erp.controlUrl }));
process.stdin.resume();
process.stdin.on("close", () => process.exit(0));
process.on("SIGINT", () => undefined);
