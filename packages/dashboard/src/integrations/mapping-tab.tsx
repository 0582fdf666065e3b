import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { Button } from "../components/button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { Field } from "../components/text-field.js";
import type { ShownIntegration } from "./explain-sentence.js";
import { JsonText, shortJson } from "./json-text.js";
import { PreviewMappingDocument, type PreviewMappingQuery } from "./mapping.generated.js";
import { fieldLines, parseJson, type ShownStream, streamsOf } from "./mapping-lines.js";
import { Pick } from "./pick.js";
import styles from "./integration.module.css";

type Preview = PreviewMappingQuery["previewMapping"];

const SAMPLE = 20;
const tones: { readonly [outcome in Preview["records"][number]["outcome"]]: StatusTone } = {
  MAPPED: "quiet",
  SKIPPED: "quiet",
  UNFIT: "failing",
};

/** How records are mapped, and what a mapping makes of sample records: the one in force, or one that is tried here. Nothing is saved. */
export function MappingTab({ integration }: { readonly integration: ShownIntegration }) {
  const { formatMessage } = useIntl();
  const streams = useMemo(() => streamsOf(integration.streams), [integration.streams]);
  const [chosen, setChosen] = useState("");
  const stream = streams.find(({ name }) => name === chosen) ?? streams[0];
  if (stream === undefined)
    return (
      <Empty>
        <FormattedMessage id="integrations.mapping.none" />
      </Empty>
    );
  return (
    <>
      {streams.length < 2 ? null : (
        <div className={styles["tab-filters"]}>
          <Pick
            label={formatMessage({ id: "integrations.mapping.stream" })}
            none={streams[0]?.name ?? ""}
            value={chosen}
            options={streams.slice(1).map(({ name }) => ({ id: name, text: name }))}
            onChange={setChosen}
          />
        </div>
      )}
      <Fields stream={stream} />
      <Try key={stream.name} integration={integration} stream={stream} />
    </>
  );
}

function Fields({ stream }: { readonly stream: ShownStream }) {
  const { formatMessage } = useIntl();
  const label = formatMessage({ id: "integrations.mapping.fields" }, { stream: stream.name });
  return (
    <>
      <h3>{label}</h3>
      {stream.when === null ? null : (
        <p>
          <FormattedMessage id="integrations.mapping.when" /> <code>{stream.when}</code>
        </p>
      )}
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={label}>
        <table className={styles["table"]}>
          <thead>
            <tr>
              {(["target", "from", "how"] as const).map((column) => (
                <th key={column} scope="col">
                  {formatMessage({ id: `integrations.mapping.${column}` })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {fieldLines(stream).map(({ target, from, how, isKey }) => (
              <tr key={target}>
                <th scope="row">
                  <code>{target}</code>
                  {isKey ? (
                    <span className="quiet">
                      {" "}
                      <FormattedMessage id="integrations.mapping.key" />
                    </span>
                  ) : null}
                </th>
                <td>
                  <code>{from}</code>
                </td>
                <td>{how}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface Tried {
  readonly mapping: unknown;
  readonly records: readonly unknown[] | null;
}

function Try({ integration, stream }: { readonly integration: ShownIntegration; readonly stream: ShownStream }) {
  const { formatMessage } = useIntl();
  const own = useMemo(() => JSON.stringify(stream.mapping, null, 2), [stream.mapping]);
  const [mapping, setMapping] = useState(own);
  const [records, setRecords] = useState("");
  const [wrong, setWrong] = useState<{ readonly mapping: string | null; readonly records: string | null }>({
    mapping: null,
    records: null,
  });
  const [tried, setTried] = useState<Tried | null>(null);
  const tryIt = () => {
    const [parsedMapping, parsedRecords] = [parseJson(mapping), records.trim() === "" ? { value: null } : parseJson(records)];
    const problems = {
      mapping: "problem" in parsedMapping ? parsedMapping.problem : null,
      records: "problem" in parsedRecords ? parsedRecords.problem : null,
    };
    setWrong(problems);
    if ("problem" in parsedMapping || "problem" in parsedRecords) return;
    const list = parsedRecords.value;
    setTried({ mapping: parsedMapping.value, records: list === null ? null : Array.isArray(list) ? list : [list] });
  };
  return (
    <>
      <h3>
        <FormattedMessage id="integrations.mapping.try" />
      </h3>
      <div className={styles["two"]}>
        <Field
          label={formatMessage({ id: "integrations.mapping.text" })}
          isLong
          value={mapping}
          onChange={setMapping}
          error={wrong.mapping}
          maxLength={200_000}
        />
        <Field
          label={formatMessage({ id: "integrations.mapping.records" })}
          hint={formatMessage({ id: "integrations.mapping.records.hint" }, { example: '{"key": "7", "data": {"id": 7}}' })}
          isLong
          value={records}
          onChange={setRecords}
          error={wrong.records}
          maxLength={200_000}
        />
      </div>
      <Button onPress={tryIt}>
        <FormattedMessage id="integrations.mapping.preview" />
      </Button>
      {tried === null ? null : <Result key={JSON.stringify(tried)} integration={integration} stream={stream.name} tried={tried} />}
    </>
  );
}

function Result({
  integration,
  stream,
  tried,
}: {
  readonly integration: ShownIntegration;
  readonly stream: string;
  readonly tried: Tried;
}) {
  const { formatMessage } = useIntl();
  const variables = useMemo(
    () => ({
      input: {
        integration: integration.key,
        stream,
        mapping: tried.mapping,
        records: tried.records === null ? null : [...tried.records],
        letters: SAMPLE,
      },
    }),
    [integration.key, stream, tried],
  );
  const { data, refusal, again } = useLiveQuery(PreviewMappingDocument, variables);
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { isValid, problems, warnings, records } = data.previewMapping;
  return (
    <div className={styles["preview"]} role="region" aria-label={formatMessage({ id: "integrations.mapping.result" })}>
      <p>
        <Status tone={isValid ? "quiet" : "failing"}>
          <FormattedMessage id={isValid ? "integrations.mapping.valid" : "integrations.mapping.invalid"} />
        </Status>
      </p>
      <ul className={styles["lines"]}>
        {[...problems, ...warnings].map(({ path, message }) => (
          <li key={path + message} lang="en">
            <code>{path}</code> {message}
          </li>
        ))}
      </ul>
      {records.length === 0 ? (
        <p className="quiet">
          <FormattedMessage id="integrations.mapping.no-records" />
        </p>
      ) : (
        <ul className={styles["letters"]}>
          {records.map(({ recordKey, before, after, outcome, errors }) => (
            <li key={recordKey} className={styles["letter"]}>
              <strong>{recordKey}</strong>{" "}
              <Status tone={tones[outcome]}>
                <FormattedMessage id={`integrations.outcome.${outcome}`} />
              </Status>
              {errors.map(({ field, expected, found }) => (
                <p key={field + expected} className={styles["refusal"]}>
                  <FormattedMessage id="integrations.mapping.error" values={{ field, expected, found: shortJson(found) }} />
                </p>
              ))}
              <div className={styles["two"]}>
                <JsonText label={formatMessage({ id: "integrations.mapping.before" }, { recordKey })} value={before} />
                <JsonText label={formatMessage({ id: "integrations.mapping.after" }, { recordKey })} value={after} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
