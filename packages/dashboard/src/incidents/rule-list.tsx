import { useIntl } from "react-intl";
import { ruleSentence, rulesOf } from "./rule-sentence.js";
import styles from "./incidents.module.css";

/** Rules in words, in their order; the usual one last. */
export function RuleList({ rules }: { readonly rules: unknown }) {
  const intl = useIntl();
  return (
    <ol className={styles["rules"]}>
      {rulesOf(rules).map((rule) => (
        <li key={rule.id}>
          <code>{rule.id}</code> {ruleSentence(rule, intl)}
        </li>
      ))}
      <li>
        <code>usual</code> {intl.formatMessage({ id: "incidents.rule.usual" })}
      </li>
    </ol>
  );
}
