import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Form } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { ScopeField } from "./scope-field.js";
import { SlotsDocument, type SlotsQueryVariables } from "./slots.generated.js";
import { Field } from "../components/text-field.js";
import { type Chosen, scopeOf } from "./window-form.js";
import { ZoneField } from "./zone-field.js";
import styles from "./windows.module.css";

type Search = SlotsQueryVariables["search"];

/** Finds when a window would disturb least. */
export function SlotsPage() {
  const { formatMessage } = useIntl();
  const { ownZone } = useTimes();
  const [isEverything, setEverything] = useState(false);
  const [chosen, setChosen] = useState<readonly Chosen[]>([]);
  const [timeZone, setTimeZone] = useState(ownZone);
  const [minutes, setMinutes] = useState("120");
  const [days, setDays] = useState("30");
  const [between, setBetween] = useState("");
  const [search, setSearch] = useState<Search | null>(null);
  const isComplete = isEverything || chosen.length > 0;
  const find = () =>
    setSearch({
      scope: scopeOf({ isEverything, chosen }),
      timeZone,
      durationMinutes: Math.trunc(Number(minutes)),
      withinDays: Math.trunc(Number(days)),
      between: between.trim() === "" ? null : between.trim(),
      limit: 10,
    });
  return (
    <Page title={formatMessage({ id: "windows.slots.title" })}>
      <div className={styles["editor"]}>
        <Form
          className={styles["form"]}
          onSubmit={(event) => {
            event.preventDefault();
            if (isComplete) find();
          }}
        >
          <div className={styles["part"]}>
            <ScopeField
              isEverything={isEverything}
              chosen={chosen}
              error={null}
              onChange={(change) => {
                setEverything(change.isEverything ?? isEverything);
                setChosen(change.chosen ?? chosen);
              }}
            />
            <div className={styles["row"]}>
              <Field label={formatMessage({ id: "windows.slots.duration" })} type="number" value={minutes} onChange={setMinutes} />
              <Field label={formatMessage({ id: "windows.slots.within" })} type="number" value={days} onChange={setDays} />
            </div>
            <Field label={formatMessage({ id: "windows.slots.between" })} value={between} onChange={setBetween} maxLength={11} />
            <ZoneField label={formatMessage({ id: "windows.zone" })} value={timeZone} onChange={setTimeZone} />
            <Button type="submit" isPrimary isDisabled={!isComplete} className={styles["save"]}>
              <FormattedMessage id="windows.slots.search" />
            </Button>
          </div>
        </Form>
        {search === null ? (
          <Empty>
            <FormattedMessage id="windows.slots.incomplete" />
          </Empty>
        ) : (
          <Found search={search} />
        )}
      </div>
    </Page>
  );
}

function Found({ search }: { readonly search: Search }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { data, refusal, again } = useLiveQuery(SlotsDocument, { search });
  if (refusal !== null) return <ErrorState refusal={refusal} onAgain={again} />;
  if (data === undefined) return <Loading />;
  const { slots, candidates, taken } = data.maintenanceSlots;
  const zone = search.timeZone;
  return (
    <section className={styles["preview"]} aria-labelledby="slots-title">
      <h2 id="slots-title">
        <FormattedMessage id="windows.slots.result" />
      </h2>
      <p className="quiet">
        <FormattedMessage id="windows.slots.found" values={{ candidates, taken }} />
      </p>
      {slots.length === 0 ? (
        <p>
          <FormattedMessage id="windows.slots.none" />
        </p>
      ) : null}
      <ol className={styles["slots"]}>
        {slots.map(({ startsAt, endsAt, localStart, localEnd, runs }) => {
          const at = `${times.day(startsAt, zone)} ${times.clock(startsAt, zone)}`;
          return (
            <li key={startsAt} className={styles["line"]}>
              <span>
                {at}–{times.end(startsAt, endsAt, zone)}
              </span>
              <span className="quiet">
                <FormattedMessage id="windows.slots.runs" values={{ runs: Math.round(runs) }} />
              </span>
              <Link
                to="/plan"
                search={{ start: localStart, end: localEnd, zone }}
                className="button"
                aria-label={formatMessage({ id: "windows.slots.plan.named" }, { at })}
              >
                <FormattedMessage id="windows.slots.plan" />
              </Link>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
