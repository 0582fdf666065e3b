import { startErp } from "./erp.mjs";

/** A port that the environment names is meant; the usual one is only a wish, so that two checkouts can run beside each other. */
const portOf = (name, usual) => (process.env[name] ? Number(process.env[name]) : { preferred: usual });

/** The ERP as a process of its own. It ends when whoever started it ends: their pipe closes. */
const erp = await startErp({ dataPort: portOf("ERP_PORT", 4_100), controlPort: portOf("ERP_CONTROL_PORT", 4_101) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
console.log(JSON.stringify({ url: erp.url, controlUrl: erp.controlUrl }));
process.stdin.resume();
process.stdin.on("close", () => process.exit(0));
// Ctrl-C reaches the whole terminal; the one who started this process says when it is over.
process.on("SIGINT", () => undefined);
