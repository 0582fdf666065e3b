import { FormattedMessage } from "react-intl";
import { Button } from "../components/button.js";

/** Prints what is shown, without menus and controls. */
export function PrintButton() {
  return (
    <Button onPress={() => print()}>
      <FormattedMessage id="kpis.print" />
    </Button>
  );
}
