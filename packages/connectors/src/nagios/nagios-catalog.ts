import type { CatalogItem, CatalogPage } from "@quiesce/sdk";
import { nameOf } from "./nagios-name.js";
import { configuredHosts, type NagiosHost } from "./nagios-objects.js";
import type { NagiosContext } from "./nagios-query.js";

/** Hosts with the hosts they lie behind, services with their host. Every listing is whole. */
export async function* listCatalog(x: NagiosContext): AsyncGenerator<CatalogPage, void, void> {
  let page: readonly CatalogItem[] | undefined;
  for await (const hosts of configuredHosts(x)) {
    if (page !== undefined) yield { type: "full", items: page, cursor: null, more: true };
    page = hosts.flatMap(itemsOf);
  }
  yield { type: "full", items: page ?? [], cursor: null, more: false };
}

function itemsOf(host: NagiosHost): readonly CatalogItem[] {
  const services = host.services.map((service): CatalogItem => {
    const id = nameOf({ host: host.name, service });
    return { id, kind: "service", name: `${service} on ${host.name}`, dependsOn: [host.name] };
  });
  const name = host.display_name === "" ? host.name : host.display_name;
  return [{ id: host.name, kind: "host", name, dependsOn: host.parent_hosts, attributes: { address: host.address } }, ...services];
}
