import type administration from "./en/administration.json";
import type app from "./en/app.json";
import type incidents from "./en/incidents.json";
import type integrations from "./en/integrations.json";
import type kpis from "./en/kpis.json";
import type now from "./en/now.json";
import type topology from "./en/topology.json";
import type windows from "./en/windows.json";

/** Each room has a file of messages in each language; its ids are known to the compiler from here. */
declare global {
  namespace FormatjsIntl {
    interface Message {
      ids:
        | keyof typeof administration
        | `refusals.${string}`
        | `server.${string}`
        | keyof typeof app
        | keyof typeof incidents
        | keyof typeof integrations
        | keyof typeof kpis
        | keyof typeof now
        | keyof typeof topology
        | keyof typeof windows;
    }
  }
}
