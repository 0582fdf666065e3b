import { type AccessScope, covers, type IntegrationFacts, scopeKinds, type SystemFacts } from "@quiesce/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { type Database, openDatabase } from "../db/client.js";

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "visible-schema-test" });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

/** Tables that everybody who may look at anything may read whole: they name no system, integration or person. */
const open: readonly string[] = [
  "approval_policy", // who must approve what: the rules of the house
  "calendar_domain",
  "conservation_round", // sums over everything, without names
  "control",
  "event_head",
  "holiday_calendar",
  "schema_migration",
  "worker",
  "zone_data",
];

it("has a view of every table; a new table is shown to nobody with narrower grants until somebody says which rows", async () => {
  const rows = await database.sql<{ name: string; shown: boolean }[]>`
    select c.relname as name, to_regclass('visible.' || quote_ident(c.relname)) is not null as shown from pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`;
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter(({ shown }) => !shown).map(({ name }) => name)).toEqual(open);
});

it("shows nothing to a connection without a reach", async () => {
  await database.sql`insert into system (key, name) values ('bare', 'Bare') on conflict do nothing`;
  const views = await database.sql<
    { name: string }[]
  >`select relname as name from pg_class where relnamespace = 'visible'::regnamespace and relkind = 'v'`;
  for (const { name } of views) {
    const [row] = await database.sql<{ n: number }[]>`select count(*)::integer as n from visible.${database.sql(name)}`;
    expect(row?.n, name).toBe(0);
  }
});

const names = ["a", "b", "c"] as const;
const name = fc.constantFrom(...names);
const maybe = fc.option(name, { nil: null });
const world = fc.record({
  systems: fc.uniqueArray(fc.record({ key: name, team: maybe, vendor: maybe }), { selector: (one) => one.key, maxLength: 3 }),
  integrations: fc.uniqueArray(fc.record({ key: name, team: maybe, vendor: maybe, systems: fc.uniqueArray(name, { maxLength: 2 }) }), {
    selector: (one) => one.key,
    maxLength: 3,
  }),
  scopes: fc.array(
    fc.oneof(
      fc.constant<AccessScope>({ kind: "all" }),
      fc.record({ kind: fc.constantFrom(...scopeKinds.slice(1)), name }),
    ) as fc.Arbitrary<AccessScope>,
    { maxLength: 3 },
  ),
});

it("reaches what the rule of core covers, whatever the catalogue and the scopes", async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ systems, integrations, scopes }) => {
      const facts = new Map<string, SystemFacts>(systems.map((one) => [one.key, { kind: "system", ...one }]));
      const all = integrations.map((one): IntegrationFacts => ({
        kind: "integration",
        ...one,
        systems: one.systems.flatMap((key) => facts.get(key) ?? []),
      }));
      const reached = (one: SystemFacts | IntegrationFacts) => scopes.some((scope) => covers(scope, one));
      await database.sql
        .begin(async (tx) => {
          await tx`delete from integration_system`;
          await tx`delete from integration`;
          await tx`delete from system`;
          for (const { key, team, vendor } of systems)
            await tx`insert into system (key, name, owner_team, vendor) values (${key}, ${key}, ${team}, ${vendor})`;
          for (const { key, team, vendor, systems: route } of all) {
            await tx`insert into integration (key, name, owner_team, vendor) values (${key}, ${key}, ${team}, ${vendor})`;
            for (const system of route)
              await tx`insert into integration_system (integration_id, system_id, role)
                select i.id, s.id, 'via' from integration as i, system as s where i.key = ${key} and s.key = ${system.key}`;
          }
          await tx`select set_config('quiesce.look', ${JSON.stringify(scopes)}, true)`;
          const [seen] = await tx<{ named: string[]; within: string[]; systems: string[]; integrations: string[] }[]>`
            select array(select key from public.system where id in (select visible.named_systems(visible.look())) order by key) as named,
              array(select key from public.integration where id in (select visible.integrations_within(visible.look())) order by key) as within,
              array(select key from visible.system order by key) as systems, array(select key from visible.integration order by key) as integrations`;
          const keys = (list: readonly { readonly key: string }[]) => [...new Set(list.map(({ key }) => key))].toSorted();
          const mine = all.filter(reached);
          expect(seen?.named).toEqual(keys([...facts.values()].filter(reached)));
          expect(seen?.within).toEqual(keys(mine));
          expect(seen?.integrations).toEqual(keys(mine));
          expect(seen?.systems).toEqual(keys([...[...facts.values()].filter(reached), ...mine.flatMap((one) => one.systems)]));
          throw new Undone();
        })
        .catch((error: unknown) => {
          if (!(error instanceof Undone)) throw error;
        });
    }),
    { numRuns: 60 },
  );
});

class Undone extends Error {}
