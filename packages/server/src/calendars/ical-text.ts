import { DomainError, type JCalComponent, type JCalProperty, type JCalValue, UNREADABLE_PROPERTY } from "@quiesce/core";
import ICAL from "ical.js";

/** A calendar's text is at most so many bytes: 5 MiB. */
export const CALENDAR_MAX_BYTES = 5 * 1024 * 1024;
/** Properties of one calendar; a line is one. */
const MAX_LINES = 200_000;
/** VCALENDAR, VEVENT, VALARM; nothing of RFC 5545 is deeper. */
const MAX_DEPTH = 4;
/** RFC 5545, section 3.1; without the line break. */
const LINE_MAX_OCTETS = 75;

const design = ICAL.design.icalendar;
/** Rules stay text: the library reads them with its own opinions, and one that it cannot read would end the whole calendar. */
const designSet = {
  ...design,
  value: { ...design.value, recur: {} },
  property: {
    ...design.property,
    name: { defaultType: "text" },
    "x-wr-calname": { defaultType: "text" },
    "x-wr-caldesc": { defaultType: "text" },
    "x-wr-timezone": { defaultType: "text" },
    "x-lic-location": { defaultType: "text" },
    "x-published-ttl": { defaultType: "duration" },
  },
};

/** Writes a calendar as RFC 5545 has it: CRLF, lines of at most 75 octets, special characters escaped. */
export function writeCalendar(calendar: JCalComponent): string {
  return `${linesOf(calendar).map(folded).join("\r\n")}\r\n`;
}

function linesOf([name, properties, components]: JCalComponent): readonly string[] {
  const inside = [...properties.map((property) => ICAL.stringify.property([...property], designSet, true)), ...components.flatMap(linesOf)];
  return [`BEGIN:${name.toUpperCase()}`, ...inside, `END:${name.toUpperCase()}`];
}

/** Folds between characters, never inside one. The library's own folding makes the second line of two an octet too long. */
function folded(line: string): string {
  if (Buffer.byteLength(line, "utf8") <= LINE_MAX_OCTETS) return line;
  let text = "";
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character, "utf8");
    if (octets + size > LINE_MAX_OCTETS) {
      text += "\r\n ";
      octets = 1;
    }
    text += character;
    octets += size;
  }
  return text;
}

interface OpenComponent {
  readonly name: string;
  readonly properties: JCalProperty[];
  readonly components: JCalComponent[];
}

/**
 * Reads iCalendar text. Several calendars in one text count as one. A line that cannot be read spoils the component it stands in and nothing else.
 * Throws QSC_CALENDAR_INVALID when the text is no calendar, QSC_CALENDAR_TOO_LARGE when it is beyond the limits.
 */
export function readCalendar(text: string): JCalComponent {
  if (Buffer.byteLength(text, "utf8") > CALENDAR_MAX_BYTES) throw tooLarge(`more than ${CALENDAR_MAX_BYTES / 1024 / 1024} MiB`);
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n[ \t]/g, "")
    .split(/\r?\n|\r/);
  if (lines.length > MAX_LINES) throw tooLarge(`${lines.length} lines`);
  const root: OpenComponent = { name: "vcalendar", properties: [], components: [] };
  const open: OpenComponent[] = [];
  let calendars = 0;
  for (const line of lines) {
    if (line.trim() === "") continue;
    const edge = /^(BEGIN|END):([A-Za-z0-9-]+)\s*$/i.exec(line);
    const name = edge?.[2]?.toLowerCase() ?? "";
    if (edge === null) {
      const target = open.at(-1);
      if (target === undefined) throw invalid(`it begins with "${line.slice(0, 40)}" instead of BEGIN:VCALENDAR`);
      target.properties.push(readProperty(line));
    } else if (edge[1]?.toUpperCase() === "BEGIN") {
      if (open.length >= MAX_DEPTH) throw invalid("its components are nested too deeply");
      if (open.length === 0 && name !== "vcalendar") throw invalid(`it holds a ${name.toUpperCase()} outside of a VCALENDAR`);
      if (open.length === 0) calendars += 1;
      open.push(open.length === 0 ? root : { name, properties: [], components: [] });
    } else {
      const closed = open.pop();
      if (closed?.name !== name) throw invalid(`END:${name.toUpperCase()} has no BEGIN`);
      const { properties, components } = closed;
      if (open.length > 0) open.at(-1)?.components.push([name, properties, components]);
    }
  }
  if (calendars === 0) throw invalid("there is no BEGIN:VCALENDAR in it");
  if (open.length > 0) throw invalid(`it ends inside a ${open.at(-1)?.name.toUpperCase() ?? ""}: it was cut off`);
  return ["vcalendar", root.properties, root.components];
}

function readProperty(line: string): JCalProperty {
  try {
    const property: unknown = ICAL.parse.property(line, designSet);
    if (isProperty(property)) return property;
  } catch {
    // What the line says is kept in its component: whoever reads that event refuses it, and no other.
  }
  return [UNREADABLE_PROPERTY, {}, "text", line.slice(0, 200)];
}

function isProperty(value: unknown): value is JCalProperty {
  if (!Array.isArray(value)) return false;
  const [name, parameters, type, ...values]: unknown[] = value;
  return (
    typeof name === "string" && typeof parameters === "object" && parameters !== null && typeof type === "string" && values.every(isValue)
  );
}

function isValue(value: unknown): value is JCalValue {
  return Array.isArray(value) ? value.every(isValue) : ["string", "number", "boolean"].includes(typeof value);
}

function invalid(found: string): DomainError {
  return new DomainError(
    "QSC_CALENDAR_INVALID",
    `This is no iCalendar text: ${found}. Expected RFC 5545, from BEGIN:VCALENDAR to END:VCALENDAR.`,
  );
}

function tooLarge(found: string): DomainError {
  return new DomainError("QSC_CALENDAR_TOO_LARGE", `The calendar has ${found}. Ask its owner for one of the coming months alone.`);
}
