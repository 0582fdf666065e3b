import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { useIntl } from "react-intl";
import { Field } from "../components/text-field.js";
import { type CatalogueFilter, type CatalogueRow, rowStates } from "./catalogue-rows.js";
import styles from "./catalogue.module.css";
import { Pick } from "./pick.js";

/** The address follows what is typed when nobody has typed for so long. */
const QUIET_MS = 250;

/** Search, system, team, tag and state: what there is to choose is what the rows have. */
export function CatalogueFilters({ rows, filter }: { readonly rows: readonly CatalogueRow[]; readonly filter: CatalogueFilter }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/integrations" });
  const set = (name: keyof CatalogueFilter, value: string) =>
    void navigate({ search: (before) => ({ ...before, [name]: value === "" ? undefined : value }), replace: true });
  const { systems, teams, tags } = useChoices(rows);
  return (
    <search className={styles["filters"]}>
      <SearchText value={filter.q} onChange={(value) => set("q", value)} />
      <Pick
        label={formatMessage({ id: "integrations.state" })}
        value={filter.state}
        options={rowStates.map((id) => ({ id, text: formatMessage({ id: `integrations.state.${id}` }) }))}
        onChange={(value) => set("state", value)}
      />
      <Pick
        label={formatMessage({ id: "integrations.system" })}
        value={filter.system}
        options={systems}
        onChange={(value) => set("system", value)}
      />
      <Pick
        label={formatMessage({ id: "integrations.team" })}
        value={filter.team}
        options={teams}
        onChange={(value) => set("team", value)}
      />
      <Pick label={formatMessage({ id: "integrations.tag" })} value={filter.tag} options={tags} onChange={(value) => set("tag", value)} />
    </search>
  );
}

function SearchText({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  const { formatMessage } = useIntl();
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), QUIET_MS);
    return () => clearTimeout(timer);
    // onChange is a new function each time and does the same.
  }, [text, value]);
  return <Field label={formatMessage({ id: "integrations.search" })} type="search" value={text} onChange={setText} maxLength={100} />;
}

interface Option {
  readonly id: string;
  readonly text: string;
}

function useChoices(rows: readonly CatalogueRow[]): { readonly [name in "systems" | "teams" | "tags"]: readonly Option[] } {
  const { locale } = useIntl();
  const count = rows.length;
  return useMemo(() => {
    const sorted = (options: Iterable<readonly [string, string]>) =>
      [...new Map(options)].map(([id, text]) => ({ id, text })).toSorted((a, b) => a.text.localeCompare(b.text, locale));
    return {
      systems: sorted(rows.flatMap((row) => row.systems.map(({ key, name }) => [key, name] as const))),
      teams: sorted(rows.flatMap(({ ownerTeam }) => (ownerTeam === null ? [] : [[ownerTeam, ownerTeam] as const]))),
      tags: sorted(rows.flatMap((row) => row.tags.map((tag) => [tag, tag] as const))),
    };
    // States change all the time, these do not: they are looked for again when there are more rows or fewer.
  }, [count, locale]);
}
