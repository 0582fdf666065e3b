import { useState } from "react";
import { type IntlShape, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import { Choice } from "../components/choice.js";
import { Field } from "../components/text-field.js";
import type { CreateTokenMutationVariables, PrincipalsQuery } from "./accounts.generated.js";
import styles from "./administration.module.css";

export type Grant = PrincipalsQuery["principals"]["nodes"][number]["grants"][number];
export type GrantInput = NonNullable<NonNullable<CreateTokenMutationVariables["input"]["grants"]>[number]>;

const roles = ["VIEWER", "OPERATOR", "APPROVER", "CONNECTOR_AUTHOR", "AUDITOR", "ADMIN"] as const satisfies readonly Grant["role"][];
const scopes = ["ALL", "TEAM", "VENDOR", "SYSTEM", "INTEGRATION"] as const satisfies readonly Grant["scope"]["kind"][];

/** "operator for the team billing": a role and where it holds. */
export function grantText({ role, scope }: Grant, { formatMessage }: Pick<IntlShape, "formatMessage">): string {
  return formatMessage(
    { id: "administration.grant" },
    { role: formatMessage({ id: `administration.role.${role}` }), kind: scope.kind, name: scope.name ?? "" },
  );
}

export function Grants({ grants }: { readonly grants: readonly Grant[] }) {
  const intl = useIntl();
  if (grants.length === 0) return <span className="quiet">{intl.formatMessage({ id: "administration.grants.none" })}</span>;
  return (
    <ul className={styles["lines"]}>
      {grants.map((grant) => (
        <li key={`${grant.role} ${grant.scope.kind} ${grant.scope.name}`}>{grantText(grant, intl)}</li>
      ))}
    </ul>
  );
}

/** Roles and where they hold, one beside the other. */
export function GrantsField({
  grants,
  onChange,
}: {
  readonly grants: readonly GrantInput[];
  readonly onChange: (grants: readonly GrantInput[]) => void;
}) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const [role, setRole] = useState<Grant["role"]>("VIEWER");
  const [kind, setKind] = useState<Grant["scope"]["kind"]>("ALL");
  const [name, setName] = useState("");
  const isNamed = kind !== "ALL";
  const add = () => {
    onChange([...grants, { role, scope: kind, ...(isNamed ? { name: name.trim() } : {}) }]);
    setName("");
  };
  return (
    <fieldset className={styles["grants"]}>
      <legend>{formatMessage({ id: "administration.grants" })}</legend>
      <ul className={styles["lines"]}>
        {grants.map((grant, index) => {
          const text = grantText({ role: grant.role, scope: { kind: grant.scope, name: grant.name ?? null } }, intl);
          return (
            <li key={text} className={styles["row"]}>
              <span>{text}</span>
              <Button
                isQuiet
                aria-label={formatMessage({ id: "administration.grant.remove" }, { grant: text })}
                onPress={() => onChange(grants.filter((_grant, at) => at !== index))}
              >
                ×
              </Button>
            </li>
          );
        })}
      </ul>
      <div className={styles["row"]}>
        <Choice
          label={formatMessage({ id: "administration.role" })}
          value={role}
          options={roles.map((id) => ({ id, text: formatMessage({ id: `administration.role.${id}` }) }))}
          onChange={setRole}
        />
        <Choice
          label={formatMessage({ id: "administration.scope" })}
          value={kind}
          options={scopes.map((id) => ({ id, text: formatMessage({ id: `administration.scope.${id}` }) }))}
          onChange={setKind}
        />
        {isNamed ? (
          <Field label={formatMessage({ id: "administration.scope.name" })} value={name} onChange={setName} maxLength={200} isRequired />
        ) : null}
        <Button isDisabled={isNamed && name.trim() === ""} onPress={add}>
          {formatMessage({ id: "administration.grant.add" })}
        </Button>
      </div>
    </fieldset>
  );
}
