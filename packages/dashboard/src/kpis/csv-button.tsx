import { type Refusal, refusalOf } from "@quiesce/client";
import { useState } from "react";
import { FormattedMessage } from "react-intl";
import { useConnection } from "../app/connection.js";
import { Button } from "../components/button.js";
import { ErrorState } from "../components/states.js";
import { ServiceLevelsCsvDocument, type ServiceLevelsCsvQueryVariables } from "./kpis.generated.js";

/** The report as a file. It is asked for like everything else, so that it works with a token too, which no link would carry. */
export function CsvButton({ variables }: { readonly variables: ServiceLevelsCsvQueryVariables }) {
  const { client } = useConnection();
  const [isRunning, setRunning] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const load = async () => {
    if (isRunning) return;
    setRunning(true);
    const { data, error } = await client.query(ServiceLevelsCsvDocument, variables, { requestPolicy: "network-only" }).toPromise();
    setRunning(false);
    setRefusal(refusalOf(error));
    if (data !== undefined) save(data.slaReport.csv, `service-levels-${variables.from.slice(0, 10)}.csv`);
  };
  return (
    <>
      <Button onPress={() => void load()}>
        <FormattedMessage id="kpis.csv" />
      </Button>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={() => void load()} />}
    </>
  );
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
