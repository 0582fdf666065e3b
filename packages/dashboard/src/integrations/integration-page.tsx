import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { ErrorState, Loading } from "../components/states.js";
import { CompareTab } from "./compare-tab.js";
import { integrationSentence, type ShownIntegration } from "./explain-sentence.js";
import { IntegrationActions } from "./integration-actions.js";
import { IntegrationPageDocument } from "./integration.generated.js";
import { OpenLettersDocument } from "./letters.generated.js";
import { LettersTab } from "./letters-tab.js";
import { MappingTab } from "./mapping-tab.js";
import { type IntegrationTab, integrationTabs } from "./routes.js";
import { Runs } from "./runs.js";
import { TraceTab } from "./trace-tab.js";
import { VersionsTab } from "./versions-tab.js";
import { Why } from "./why.js";
import styles from "./integration.module.css";

/** What happens to an integration without anybody's doing here. */
const kinds = ["run.*", "hold.*", "window.*", "catalogue.applied"];

/** An integration: why it runs or does not, its runs, and what can be done about its records. */
export function IntegrationPage() {
  const { key } = useParams({ from: "/integrations/$key" });
  const { data, refusal, again } = useLiveQuery(IntegrationPageDocument, { key }, { kinds });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  if (data.integration === null) return <Unknown integrationKey={key} />;
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <Shown integration={data.integration} />
    </>
  );
}

function Unknown({ integrationKey: key }: { readonly integrationKey: string }) {
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "integrations.unknown" }, { key })}>
      <Link to="/integrations" className="button">
        <FormattedMessage id="integrations.menu" />
      </Link>
    </Page>
  );
}

function Shown({ integration }: { readonly integration: ShownIntegration }) {
  const intl = useIntl();
  const times = useTimes();
  return (
    <Page title={integrationSentence(integration, { intl, times })} actions={<IntegrationActions integration={integration} />}>
      <Why integration={integration} />
      <Runs integration={integration} />
      <Below integration={integration} />
      <About integration={integration} />
    </Page>
  );
}

/** What lies beneath: only what is looked at is read. */
function Below({ integration }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const { tab = "letters" } = useSearch({ from: "/integrations/$key" });
  const navigate = useNavigate({ from: "/integrations/$key" });
  const letters = useLiveQuery(OpenLettersDocument, { integration: integration.key }, { kinds: ["run.finished"], subjects: undefined });
  const open = letters.data?.deadLetters.totalCount ?? 0;
  const choose = (id: unknown) => {
    const chosen = integrationTabs.find((one) => one === id);
    if (chosen !== undefined) void navigate({ search: (before) => ({ ...before, tab: chosen }), replace: true });
  };
  const panels: { readonly [name in IntegrationTab]: React.ReactNode } = {
    letters: <LettersTab integration={integration} onChanged={letters.again} />,
    trace: <TraceTab integration={integration} />,
    mapping: <MappingTab integration={integration} />,
    versions: <VersionsTab integration={integration} />,
    compare: <CompareTab integration={integration} />,
  };
  return (
    <Tabs selectedKey={tab} onSelectionChange={choose} className={styles["tabs"]}>
      <TabList aria-label={formatMessage({ id: "integrations.tabs" })} className={styles["tab-list"]}>
        {integrationTabs.map((one) => (
          <Tab key={one} id={one} className={styles["tab"]}>
            {formatMessage({ id: `integrations.tab.${one}` })}
            {one === "letters" && open > 0 ? <span className={styles["badge"]}>{open}</span> : null}
          </Tab>
        ))}
      </TabList>
      {integrationTabs.map((one) => (
        <TabPanel key={one} id={one} className={styles["tab-panel"]}>
          {panels[one]}
        </TabPanel>
      ))}
    </Tabs>
  );
}

function About({ integration }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const { key, description, ownerTeam, vendor, environment, criticality, tags, playbookUrl, systems } = integration;
  const facts = [
    ["key", key],
    ["owner", ownerTeam],
    ["criticality", formatMessage({ id: `integrations.criticality.${criticality}` })],
    ["environment", environment],
    ["vendor", vendor],
    ["tags", tags.join(", ")],
  ] as const;
  return (
    <section aria-labelledby="about-title">
      <h2 id="about-title">
        <FormattedMessage id="integrations.about" />
      </h2>
      {description === null ? null : <p>{description}</p>}
      <dl className={styles["facts"]}>
        <div>
          <dt>
            <FormattedMessage id="integrations.about.route" />
          </dt>
          <dd>
            {systems.map(({ role, system }, index) => (
              <span key={`${role} ${system.key}`}>
                {index === 0 ? "" : systems[index - 1]?.role === role ? ", " : " → "}
                <Link to="/topology" search={{ system: system.key }}>
                  {system.name}
                </Link>
              </span>
            ))}
          </dd>
        </div>
        {facts.map(([name, value]) =>
          value === null || value === "" ? null : (
            <div key={name}>
              <dt>{formatMessage({ id: `integrations.about.${name}` })}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
        {playbookUrl === null || !/^https?:/.test(playbookUrl) ? null : (
          <div>
            <dt>
              <FormattedMessage id="integrations.about.playbook" />
            </dt>
            <dd>
              <a href={playbookUrl} rel="noreferrer">
                {playbookUrl}
              </a>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}
