import { ConnectorError } from "@quiesce/sdk";

/** A host, or a service of a host. */
export interface NagiosObject {
  readonly host: string;
  readonly service?: string;
}

/** Names no object may have; `;` separates the fields of commands. */
const FORBIDDEN = /[;\r\n\0]/u;

/** `erp` for a host, `erp!orders-api` for a service. Nagios forbids `!` in names by default (illegal_object_name_chars). */
export function nameOf({ host, service }: NagiosObject): string {
  return service === undefined ? host : `${host}!${service}`;
}

/** What {@link nameOf} has written. Throws `invalid` for what cannot be a name. */
export function objectOf(name: string): NagiosObject {
  const at = name.indexOf("!");
  const [host, service] = at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
  if (host === "" || service === "" || FORBIDDEN.test(name)) {
    throw new ConnectorError(
      "invalid",
      `"${name.slice(0, 200)}" names nothing in Nagios. Write a host (erp) or a service (erp!orders-api).`,
      {
        field: "resources",
      },
    );
  }
  return service === undefined ? { host } : { host, service };
}
