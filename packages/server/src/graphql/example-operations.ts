/** What GraphiQL shows a newcomer: one tab an example. A test runs each against the schema. */
export const exampleOperations: { readonly query: string; readonly variables?: string }[] = [
  {
    query: `# What is held at this moment, why, and until when?
query Held {
  statusSummary {
    mode
    integrations
    heldIntegrations
    activeHolds { title owner reason beginsAt expiresAt members { integration { key } path } }
    nextOccurrence { key startsAt endsAt window { title } }
    runsByState { state count }
  }
}
`,
  },
  {
    query: `# Every event as it happens. Kill the connection and continue with after: "<the last cursor>": nothing is missed.
subscription Live {
  liveEvents {
    cursor
    at
    kind
    subjectKind
    subjectKey
    integrationKey
    payload
  }
}
`,
  },
  {
    query: `# Why does a job not run?
query Explain($job: String!) {
  explain(job: $job) { state summary needed until by { title owner reason path } }
}
`,
    variables: '{ "job": "erp-orders-sync" }',
  },
  {
    query: `# What would this window do? Nothing is saved.
query Preview($input: MaintenanceWindowInput!) {
  previewMaintenanceWindow(input: $input) {
    warnings
    occurrences { localStart localEnd startsAt endsAt notes }
    members { integration { key } path }
    heldJobs { job dueTimes runsAfter }
  }
}
`,
    variables: JSON.stringify(
      {
        input: {
          title: "ERP, first Sunday",
          series: { start: "2027-01-03T02:00", end: "2027-01-03T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=MONTHLY;BYDAY=1SU" },
          scope: { all: true },
          owner: "erp-team",
          reason: "Monthly patches",
        },
      },
      null,
      2,
    ),
  },
  {
    query: `# Hold everything for a moment; resume with the hold's key.
mutation Pause {
  pause(input: { scope: { all: true }, reason: "Trying it out" }) { key state members { integration { key } } }
}
`,
  },
];
