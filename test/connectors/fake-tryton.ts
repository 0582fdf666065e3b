import { TEST_NOW, type FakeAnswer, type FakeSystem, type SeenRequest } from "@quiesce/sdk/testing";

type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };
type Row = Record<string, Value>;

const FIELDS: Readonly<Record<string, { readonly type: string; readonly required: boolean }>> = {
  id: { type: "integer", required: false },
  code: { type: "char", required: false },
  name: { type: "char", required: true },
  create_date: { type: "timestamp", required: false },
  write_date: { type: "timestamp", required: false },
};

/** A datetime as Tryton's JSON-RPC writes it. */
function datetime(at: Date): Value {
  return {
    __class__: "datetime",
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: at.getUTCMilliseconds() * 1000,
  };
}

/** Values in an order: datetimes by their parts, numbers as numbers. */
function rank(value: Value): string {
  if (typeof value === "number") return String(value).padStart(12, "0");
  if (typeof value !== "object" || value === null) return String(value);
  const parts = value as { readonly [name: string]: number };
  return ["year", "month", "day", "hour", "minute", "second", "microsecond"]
    .map((name) => String(parts[name] ?? 0).padStart(6, "0"))
    .join("-");
}

/** Whether a row meets a Tryton domain: clauses that all hold, or of which one does after "OR". */
function meets(row: Row, domain: Value): boolean {
  if (!Array.isArray(domain)) return false;
  const [first, ...rest] = domain as readonly Value[];
  if (first === "OR") return rest.some((part) => meets(row, part));
  if (typeof first === "string" && rest.length === 2 && typeof rest[0] === "string")
    return compares(row[first] ?? null, rest[0], rest[1] ?? null);
  return (domain as readonly Value[]).every((part) => meets(row, part));
}

function compares(found: Value, operator: string, wanted: Value): boolean {
  if (operator === "in") return Array.isArray(wanted) && (wanted as readonly Value[]).includes(found);
  if (operator === "=") return rank(found) === rank(wanted);
  if (operator === ">" && found !== null) return rank(found) > rank(wanted);
  return false;
}

/**
 * As much of trytond 6.0 as its connector asks for: sessions, one model, errors in a 200, a clock in whole seconds. The real one is tested by
 * test/systems/tryton-connector.test.ts.
 */
export class FakeTryton implements FakeSystem {
  readonly parties = new Map<number, Row>();
  #last = 1_000;

  handle({ headers, body }: SeenRequest): FakeAnswer {
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: readonly Value[] };
    const reply = (answer: object): FakeAnswer => ({ json: { id, ...answer }, headers: { date: TEST_NOW.toUTCString() } });
    if (method === "common.server.version") return reply({ result: "6.0.29" });
    if (method === "common.db.login") {
      const { password } = params[1] as { readonly password: string };
      return password === "good" ? reply({ result: [1, "session-token"] }) : { status: 401, text: "Unauthorized" };
    }
    const session = Buffer.from("admin:1:session-token").toString("base64");
    if (headers.authorization !== `Session ${session}`) return { status: 401, text: "Unauthorized" };
    const call = method.replace("model.party.party.", "");
    try {
      return reply({ result: this.#call(call, params.slice(0, -1)) });
    } catch (thrown) {
      return reply({ error: [(thrown as Error).message, ["", ""]] });
    }
  }

  #call(call: string, given: readonly Value[]): Value {
    const [first = null, , limit = null, order = null, names = null] = given;
    switch (call) {
      case "fields_get":
        return this.#fields(first as readonly string[]);
      case "search":
        return this.#found(first, limit, order).map((row) => row["id"] ?? null);
      case "search_read":
        return this.#found(first, limit, order).map((row) =>
          Object.fromEntries((names as readonly string[]).map((name) => [name, row[name] ?? null])),
        );
      case "create":
        return (first as readonly Row[]).map((values) => this.put(undefined, TEST_NOW, values));
      case "write":
        return (first as readonly number[]).map((id) => this.put(id, TEST_NOW, given[1] as Row));
      case "delete":
        for (const id of first as readonly number[]) this.parties.delete(id);
        return null;
      default:
        throw new Error(`'${call}'`);
    }
  }

  #fields(names: readonly string[]): Value {
    const unknown = names.find((name) => FIELDS[name] === undefined);
    if (unknown !== undefined) throw new Error(`'${unknown}'`);
    const wanted = names.length === 0 ? Object.keys(FIELDS) : names;
    return Object.fromEntries(wanted.map((name) => [name, FIELDS[name] as unknown as Value]));
  }

  #found(domain: Value, limit: Value, order: Value): readonly Row[] {
    const by = ((order ?? []) as readonly (readonly [string, string])[]).map(([field]) => field);
    const rows = [...this.parties.values()].filter((row) => meets(row, domain));
    const sorted = rows.toSorted((left, right) => {
      const field = by.find((one) => rank(left[one] ?? null) !== rank(right[one] ?? null));
      return field === undefined ? 0 : rank(left[field] ?? null) < rank(right[field] ?? null) ? -1 : 1;
    });
    return sorted.slice(0, typeof limit === "number" ? limit : undefined);
  }

  /** Creates a party, or writes to one that is there. */
  put(id: number | undefined, at: Date, values: Row): number {
    const present = id === undefined ? undefined : this.parties.get(id);
    this.#last += id === undefined ? 1 : 0;
    const own = id ?? this.#last;
    if (present === undefined) this.parties.set(own, { code: null, ...values, id: own, create_date: datetime(at), write_date: null });
    else this.parties.set(own, { ...present, ...values, write_date: datetime(at) });
    return own;
  }
}
