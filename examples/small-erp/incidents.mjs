const STORIES = {
  "incident.opened": ({ subjectKey, payload }) =>
    payload.title === undefined
      ? `${subjectKey} was split off from ${payload.from}.`
      : `${subjectKey} opened: ${payload.title} (${payload.severity}), the probable cause lies at ${payload.root}.`,
  "incident.state-changed": ({ subjectKey, payload }) => `${subjectKey} is ${payload.state}.`,
};

/** Tells what becomes of incidents, as live events say it. */
export function tellIncidents({ client, say }) {
  return client.follow({
    kinds: Object.keys(STORIES),
    // A quiet stream carries heartbeats, which are no story.
    next: (event) => event.kind in STORIES && say("Incident", STORIES[event.kind](event)),
    lost: (problem) => say("Incident", `nothing is heard of incidents any more: ${problem}`),
  });
}

/** What the monitor said of the ERP since an instant, and what came of it: alerts that a window kept quiet, and incidents. */
export async function countSince(ask, since) {
  const { alerts, incidents } = await ask(
    `query {
      alerts(first: 50, filter: { endpoint: "watch" }) { nodes { startedAt reasons { kind mutes } } }
      incidents(first: 50) { nodes { openedAt } }
    }`,
    {},
  );
  const later = (at) => Date.parse(at) >= since;
  return {
    quiet: alerts.nodes.filter(
      ({ startedAt, reasons }) => later(startedAt) && reasons.some(({ kind, mutes }) => kind === "WINDOW" && mutes),
    ).length,
    incidents: incidents.nodes.filter(({ openedAt }) => later(openedAt)).length,
  };
}
