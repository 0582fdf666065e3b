import { useState } from "react";
import { useIntl } from "react-intl";
import { CommandButton } from "../components/command-button.js";
import { Field } from "../components/text-field.js";
import {
  CancelRotationDocument,
  type EndpointPageQuery,
  RotateCredentialDocument,
  StageCredentialDocument,
} from "./endpoints.generated.js";

type Endpoint = NonNullable<EndpointPageQuery["endpoint"]>;

/** What can be done about an endpoint's secrets now. */
export function EndpointActions({ endpoint, onDone }: { readonly endpoint: Endpoint; readonly onDone: () => void }) {
  const { credential, secrets } = endpoint;
  const isRotating = credential?.rotating === true;
  return (
    <>
      {isRotating || secrets.length === 0 ? null : <Rotate endpoint={endpoint} onDone={onDone} />}
      {secrets.length === 0 ? null : <Stage endpoint={endpoint} onDone={onDone} />}
      {isRotating ? <CancelRotation endpoint={endpoint} onDone={onDone} /> : null}
    </>
  );
}

interface Of {
  readonly endpoint: Endpoint;
  readonly onDone: () => void;
}

function Rotate({ endpoint: { key, name }, onDone }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={RotateCredentialDocument}
      variables={(reason) => ({ input: { endpoint: key, reason: reason === "" ? null : reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.rotate" })}
      title={formatMessage({ id: "administration.rotate.title" }, { name })}
      words={formatMessage({ id: "administration.rotate.words" })}
      reason="optional"
    />
  );
}

/** New values that somebody has from the system's own administration. What is left empty stays as it is. */
function Stage({ endpoint: { key, name, secrets }, onDone }: Of) {
  const { formatMessage } = useIntl();
  const [values, setValues] = useState<{ readonly [secret: string]: string }>({});
  const changed = secrets.flatMap((secret) => {
    const value = values[secret.name] ?? "";
    return value === "" ? [] : [{ name: secret.name, value }];
  });
  return (
    <CommandButton
      document={StageCredentialDocument}
      variables={(reason) => ({ input: { endpoint: key, secrets: changed, reason: reason === "" ? null : reason } })}
      onDone={onDone}
      onClosed={() => setValues({})}
      label={formatMessage({ id: "administration.stage" })}
      title={formatMessage({ id: "administration.stage.title" }, { name })}
      words={formatMessage({ id: "administration.stage.words" })}
      reason="optional"
    >
      {() => (
        <>
          {secrets.map((secret) => (
            <Field
              key={secret.name}
              label={secret.name}
              type="password"
              value={values[secret.name] ?? ""}
              onChange={(value) => setValues({ ...values, [secret.name]: value })}
            />
          ))}
        </>
      )}
    </CommandButton>
  );
}

function CancelRotation({ endpoint: { key, name }, onDone }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={CancelRotationDocument}
      variables={(reason) => ({ input: { endpoint: key, reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.cancel-rotation" })}
      title={formatMessage({ id: "administration.cancel-rotation.title" }, { name })}
      words={formatMessage({ id: "administration.cancel-rotation.words" })}
      isDangerous
    />
  );
}
