import { ToggleButton } from "react-aria-components";
import { FormattedMessage, FormattedNumber, useIntl } from "react-intl";
import { StatusGlyph } from "../components/status.js";
import { type Card, cards, type Numbers } from "./summary.js";
import styles from "./now.module.css";

/** Four numbers; pressed, one shows its own causes alone. On a wall nobody presses anything. */
export function Cards(props: {
  readonly numbers: Numbers;
  readonly chosen: Card | null;
  readonly onChoose: ((card: Card | null) => void) | null;
}) {
  const { numbers, chosen, onChoose } = props;
  const { formatMessage } = useIntl();
  return (
    <div className={styles["cards"]} role="group" aria-label={formatMessage({ id: "now.cards" })}>
      {cards.map((card) => {
        const count = numbers[card];
        const content = <CardContent card={card} count={count} />;
        const className = `${styles["card"]} ${styles[`card-${card}`]} ${count === 0 ? styles["card-none"] : ""}`;
        return onChoose === null ? (
          <div key={card} className={className}>
            {content}
          </div>
        ) : (
          <ToggleButton
            key={card}
            className={className}
            isSelected={chosen === card}
            onChange={(isSelected) => onChoose(isSelected ? card : null)}
          >
            {content}
          </ToggleButton>
        );
      })}
    </div>
  );
}

function CardContent({ card, count }: { readonly card: Card; readonly count: number }) {
  return (
    <>
      <span className={styles["card-name"]}>
        <StatusGlyph tone={count === 0 ? "quiet" : card} /> <FormattedMessage id={`now.card.${card}`} />
      </span>
      <span className={styles["card-count"]}>
        <FormattedNumber value={count} />
      </span>
      <span className={styles["card-unit"]}>
        <FormattedMessage id={`now.card.${card}.unit`} values={{ count }} />
      </span>
    </>
  );
}
