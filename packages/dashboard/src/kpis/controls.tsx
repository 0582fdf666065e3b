import { useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useQuery } from "urql";
import { Choice } from "../components/choice.js";
import { DayField } from "../components/date-fields.js";
import { KpiScopesDocument } from "./kpis.generated.js";
import { periods } from "./period.js";
import { type Scope, scopeOf } from "./scope.js";
import type { KpiSearch } from "./search.js";
import styles from "./kpis.module.css";

/** Of what and when; both are in the address. */
export function Controls({ search }: { readonly search: KpiSearch }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/kpis" });
  const { period = "week", first = "", last = "" } = search;
  const go = (next: KpiSearch) => void navigate({ search: next, replace: true });
  return (
    <search className={styles["controls"]}>
      <ScopeChoice
        key={JSON.stringify(scopeOf(search))}
        scope={scopeOf(search)}
        onChange={(scope) => {
          const { integration: _i, system: _s, team: _t, tag: _g, ...rest } = search;
          go(scope === null ? rest : { ...rest, [scope.kind]: scope.key });
        }}
      />
      <Choice
        label={formatMessage({ id: "kpis.period" })}
        value={period}
        options={periods.map((id) => ({ id, text: formatMessage({ id: `kpis.period.${id}` }) }))}
        onChange={(chosen) => go({ ...search, period: chosen })}
      />
      {period === "dates" ? (
        <>
          <DayField label={formatMessage({ id: "kpis.first" })} value={first} onChange={(day) => go({ ...search, first: day })} />
          <DayField label={formatMessage({ id: "kpis.last" })} value={last} onChange={(day) => go({ ...search, last: day })} />
        </>
      ) : null}
    </search>
  );
}

interface Named {
  readonly id: string;
  readonly scope: Scope;
  readonly name: string;
}

/** An integration, system, team or tag, found by a part of its name; or everything. */
function ScopeChoice({ scope, onChange }: { readonly scope: Scope | null; readonly onChange: (scope: Scope | null) => void }) {
  const { formatMessage } = useIntl();
  const [text, setText] = useState("");
  const names = useNames(text.trim());
  if (scope !== null)
    return (
      <div className={styles["scope"]}>
        <span className={styles["scope-label"]}>
          <FormattedMessage id="kpis.scope" />
        </span>
        <span className={styles["chip"]}>
          {scope.key} <span className="quiet">{formatMessage({ id: `kpis.scope.${scope.kind}` })}</span>
          <Button
            className="button button-quiet"
            aria-label={formatMessage({ id: "kpis.scope.remove" }, { name: scope.key })}
            onPress={() => onChange(null)}
          >
            ×
          </Button>
        </span>
      </div>
    );
  return (
    <ComboBox
      className={styles["scope"] ?? ""}
      items={names}
      inputValue={text}
      onInputChange={setText}
      value={null}
      onChange={(id) => {
        const found = names.find((name) => name.id === id);
        if (found !== undefined) onChange(found.scope);
      }}
      allowsEmptyCollection
    >
      <Label className={styles["scope-label"]}>
        <FormattedMessage id="kpis.scope" />
      </Label>
      <div className={styles["combo"]}>
        <Input className="input" placeholder={formatMessage({ id: "kpis.scope.all" })} />
        <Button className={`button button-quiet ${styles["combo-button"]}`}>
          <span aria-hidden="true">▾</span>
        </Button>
      </div>
      <Popover className="popover">
        <ListBox className={`menu ${styles["list-box"]}`} renderEmptyState={() => <FormattedMessage id="kpis.scope.none" />}>
          {({ id, scope: one, name }: Named) => (
            <ListBoxItem id={id} textValue={name} className="menu-item">
              {name}&nbsp;<span className="quiet">{formatMessage({ id: `kpis.scope.${one.kind}` })}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

/** What the server finds by name or key, with its tags, and the teams. */
function useNames(text: string): readonly Named[] {
  const [{ data }] = useQuery({ query: KpiScopesDocument, variables: { text } });
  // What was found before stays until the next is there, so that the list keeps its focus while somebody types.
  const found = useRef<readonly Named[]>([]);
  const names = useMemo(() => {
    if (data === undefined) return null;
    const named = (kind: Scope["kind"], key: string, name: string): Named => ({ id: `${kind}:${key}`, scope: { kind, key }, name });
    const { systems, integrations, teams } = data;
    const tags = new Set([...systems.nodes, ...integrations.nodes].flatMap((one) => one.tags));
    const wanted = text.toLocaleLowerCase();
    return [
      ...integrations.nodes.map(({ key, name }) => named("integration", key, name)),
      ...systems.nodes.map(({ key, name }) => named("system", key, name)),
      ...teams.nodes
        .filter(({ key, title }) => `${key} ${title}`.toLocaleLowerCase().includes(wanted))
        .slice(0, 8)
        .map(({ key, title }) => named("team", key, title === "" ? key : title)),
      ...[...tags].toSorted().map((tag) => named("tag", tag, tag)),
    ];
  }, [data, text]);
  if (names !== null) found.current = names;
  return names ?? found.current;
}
