import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Button as AriaButton, Checkbox, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import { Field } from "../components/text-field.js";
import type { KpiSearch } from "./search.js";
import styles from "./kpis.module.css";

const USUAL_NOTICE_HOURS = 24;

/** What was agreed about maintenance: it decides what the net figure leaves out, and is in the address. */
export function Agreement({ search, zone }: { readonly search: KpiSearch; readonly zone: string }) {
  const [isOpen, setOpen] = useState(false);
  const { notice = USUAL_NOTICE_HOURS, allowance, approval = false } = search;
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <p className="quiet">
        <FormattedMessage
          id="kpis.agreement"
          values={{ notice, limit: allowance === undefined ? "none" : String(allowance), approval: approval ? "yes" : "no", zone }}
        />
      </p>
      <Heading level={3} className={styles["disclosure"]}>
        <AriaButton slot="trigger" className="button button-quiet">
          <FormattedMessage id="kpis.agreement.change" />
        </AriaButton>
      </Heading>
      <DisclosurePanel>{isOpen ? <Form search={search} /> : null}</DisclosurePanel>
    </Disclosure>
  );
}

function Form({ search }: { readonly search: KpiSearch }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/kpis" });
  const [notice, setNotice] = useState(String(search.notice ?? USUAL_NOTICE_HOURS));
  const [allowance, setAllowance] = useState(search.allowance === undefined ? "" : String(search.allowance));
  const [isApproved, setApproved] = useState(search.approval ?? false);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (!isHours(notice) || (allowance !== "" && !isHours(allowance))) return;
    const { notice: _n, allowance: _a, approval: _p, ...rest } = search;
    void navigate({
      search: {
        ...rest,
        ...(Number(notice) === USUAL_NOTICE_HOURS ? {} : { notice: Number(notice) }),
        ...(allowance === "" ? {} : { allowance: Number(allowance) }),
        ...(isApproved ? { approval: true as const } : {}),
      },
      replace: true,
      resetScroll: false,
    });
  };
  const wrong = formatMessage({ id: "kpis.agreement.hours" });
  return (
    <form onSubmit={save} className={styles["controls"]}>
      <Field
        label={formatMessage({ id: "kpis.agreement.notice" })}
        type="number"
        value={notice}
        onChange={setNotice}
        error={isHours(notice) ? null : wrong}
      />
      <Field
        label={formatMessage({ id: "kpis.agreement.allowance" })}
        hint={formatMessage({ id: "kpis.agreement.allowance.hint" })}
        type="number"
        value={allowance}
        onChange={setAllowance}
        error={allowance === "" || isHours(allowance) ? null : wrong}
      />
      <Checkbox className="checkbox" isSelected={isApproved} onChange={setApproved}>
        <span className="checkbox-box" aria-hidden="true" />
        <FormattedMessage id="kpis.agreement.approval" />
      </Checkbox>
      <Button type="submit">
        <FormattedMessage id="kpis.agreement.apply" />
      </Button>
    </form>
  );
}

function isHours(text: string): boolean {
  return /^\d{1,4}(?:\.\d{1,3})?$/.test(text.trim());
}
