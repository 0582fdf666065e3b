import { sql } from "drizzle-orm";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { addEntries } from "./entries.js";
import { linkProblem } from "./problems.js";
import { hooksOf, messageFactsOf, queueIncidentMessages } from "./tell-teams.js";

/** The team that answers for a system: its owner, or that of an integration that passes through it. */
export function ownerOf(systemId: number | null) {
  return sql`(select coalesce(s.owner_team, (select min(i.owner_team) from integration_system as r join integration as i on i.id = r.integration_id where r.system_id = s.id))
    from system as s where s.id = ${systemId}::integer)`;
}

/**
 * Takes what follows from a new root into an incident whose row has it already: the team of the root's system, unless somebody works on the incident, and the problem
 * of the root. A team that gets an incident of which others were told is told that it is there.
 */
export async function followRoot(
  tx: Tx,
  root: {
    readonly incidentId: number;
    readonly node: string;
    readonly systemId: number | null;
    readonly title: string;
    readonly now: number;
  },
): Promise<void> {
  const { incidentId, node, systemId, title, now } = root;
  await tx.execute(sql`update incident set problem_id = null where id = ${incidentId}::bigint and problem_placed_by is null`);
  await linkProblem(tx, { incidentId, rootNode: node, systemId, title, now });
  const [moved] = await tx.execute<{ ownerTeam: string; wasTold: boolean }>(sql`
    update incident as i set owner_team = o.team from (select ${ownerOf(systemId)} as team) as o
    where i.id = ${incidentId}::bigint and i.state = 'open' and i.assignee is null and i.offered_to is null and o.team is not null
      and o.team is distinct from i.owner_team
    returning i.owner_team as "ownerTeam", i.told_at is not null as "wasTold"`);
  if (moved === undefined) return;
  const { ownerTeam, wasTold } = moved;
  await addEntries(tx, { actor: systemActor, now }, [
    { incidentId, kind: "assigned", text: `It is with ${ownerTeam} now, whose system is the probable cause.`, data: { ownerTeam } },
  ]);
  if (!wasTold) return;
  const row = await messageFactsOf(tx, incidentId);
  const hooks = (await hooksOf(tx, [incidentId])).filter(({ team }) => team === ownerTeam);
  if (row === undefined || hooks.length === 0) return;
  await queueIncidentMessages(tx, { at: now, notices: [{ row, kind: "incident.opened" }], hooks });
  await addEntries(tx, { actor: systemActor, now }, [
    { incidentId, kind: "told", text: `Told: ${ownerTeam}.`, data: { notice: "incident.opened", teams: [ownerTeam] } },
  ]);
}
