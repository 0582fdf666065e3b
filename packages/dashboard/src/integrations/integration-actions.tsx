import { useState } from "react";
import { useIntl } from "react-intl";
import { useCommand } from "../app/live.js";
import { ConfirmedButton } from "../components/confirmed-button.js";
import { holdsOf, type ShownIntegration } from "./explain-sentence.js";
import { LiftHoldDocument, PauseIntegrationDocument, RunNowDocument } from "./integration.generated.js";
import { Pick } from "./pick.js";

/** What can be done about an integration: run a job now, pause it, lift a pause. */
export function IntegrationActions({ integration }: { readonly integration: ShownIntegration }) {
  const pauses = holdsOf(integration).filter(({ kind }) => kind === "MANUAL");
  return (
    <>
      {integration.jobs.some(({ enabled }) => enabled) ? <RunNow integration={integration} /> : null}
      {pauses[0] === undefined ? <Pause integration={integration} /> : <Lift integration={integration} holdId={pauses[0].holdId} />}
    </>
  );
}

function RunNow({ integration }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(RunNowDocument);
  const jobs = integration.jobs.filter(({ enabled }) => enabled);
  const [chosen, setChosen] = useState("");
  const job = jobs.find(({ key }) => key === chosen)?.key ?? jobs[0]?.key ?? "";
  const isHeld = integration.gate.by.length > 0;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.run-now" })}
      title={formatMessage({ id: "integrations.run-now.title" }, { name: integration.name })}
      words={formatMessage({ id: isHeld ? "integrations.run-now.held" : "integrations.run-now.words" })}
      onConfirm={async (reason) => (await run({ input: { job, reason } })) !== null}
    >
      {jobs.length < 2 ? null : (
        <Pick
          label={formatMessage({ id: "integrations.job" })}
          none={jobs[0]?.key ?? ""}
          value={chosen}
          options={jobs.slice(1).map(({ key }) => ({ id: key, text: key }))}
          onChange={setChosen}
        />
      )}
    </ConfirmedButton>
  );
}

function Pause({ integration: { key, name } }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(PauseIntegrationDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.pause" })}
      title={formatMessage({ id: "integrations.pause.title" }, { name })}
      words={formatMessage({ id: "integrations.pause.words" })}
      onConfirm={async (reason) => (await run({ input: { scope: { integrations: [key] }, reason } })) !== null}
    />
  );
}

function Lift({ integration: { name }, holdId }: { readonly integration: ShownIntegration; readonly holdId: string }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(LiftHoldDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "integrations.lift" })}
      title={formatMessage({ id: "integrations.lift.title" }, { name })}
      words={formatMessage({ id: "integrations.lift.words" })}
      onConfirm={async (reason) => (await run({ input: { holdId, reason } })) !== null}
    />
  );
}
