/**
 * Calendars as jCal (RFC 7265): what a parser makes of an iCalendar text and a serialiser writes as one. Dates are `2026-11-22`, times
 * `2026-11-22T02:00:00` with a `Z` when in UTC, offsets `+01:00`; a rule stays the text that RFC 5545 writes.
 */
export type JCalValue = string | number | boolean | readonly JCalValue[];
export type JCalParameters = Readonly<Record<string, string | readonly string[]>>;
export type JCalProperty = readonly [name: string, parameters: JCalParameters, type: string, ...values: readonly JCalValue[]];
export type JCalComponent = readonly [name: string, properties: readonly JCalProperty[], components: readonly JCalComponent[]];

/** The properties of that name, in their order. */
export function propertiesOf([, properties]: JCalComponent, name: string): readonly JCalProperty[] {
  return properties.filter((property) => property[0] === name);
}

/** The parts of that name. */
export function componentsOf([, , components]: JCalComponent, name: string): readonly JCalComponent[] {
  return components.filter((component) => component[0] === name);
}

/** The values of a property, those that are text. */
export function textsOf([, , , ...values]: JCalProperty): readonly string[] {
  return values.filter((value) => typeof value === "string");
}

/** The text of the first property of that name, trimmed; null when there is none or it is empty. */
export function textOf(component: JCalComponent, name: string): string | null {
  const [property] = propertiesOf(component, name);
  const text = property === undefined ? "" : (textsOf(property)[0] ?? "").trim();
  return text === "" ? null : text;
}

/** A parameter's one text, such as TZID; null when it is absent. */
export function parameterOf([, parameters]: JCalProperty, name: string): string | null {
  const value = parameters[name];
  return typeof value === "string" ? value : null;
}

/** A property of text. */
export function textProperty(name: string, text: string): JCalProperty {
  return [name, {}, "text", text];
}

/** A local time (fake UTC ms) or an instant as jCal writes times, without the `Z` that says which. */
export function jcalTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** A property that holds an instant in UTC. */
export function instantProperty(name: string, instant: number): JCalProperty {
  return [name, {}, "date-time", `${jcalTime(instant)}Z`];
}
