import type { Refusal } from "@quiesce/client";
import { type ReactNode, useState } from "react";
import { Dialog, DialogTrigger, Form, Heading, Modal, ModalOverlay } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "./button.js";
import { RefusalText } from "./refusal-text.js";
import { ErrorState } from "./states.js";
import { Field } from "./text-field.js";
import styles from "./confirmed-button.module.css";

/** What a button says, and asks before it does it. */
export interface Confirmation {
  readonly label: string;
  /** What a screen reader says, where several buttons have the same label. */
  readonly name?: string;
  readonly title: string;
  readonly words: string;
  readonly isDangerous?: boolean;
  readonly isPrimary?: boolean;
  readonly isDisabled?: boolean;
  /** `needed` unless said otherwise; `none`: nobody is asked why. */
  readonly reason?: "needed" | "optional" | "none";
}

/** A button that first says what will happen, and asks why. It stays open with the server's words when that refuses. */
export function ConfirmedButton({
  label,
  name,
  title,
  words,
  isDangerous = false,
  isPrimary = false,
  isDisabled = false,
  reason: asked = "needed",
  children,
  refusal,
  isTold = false,
  isRunning,
  onConfirm,
  onClose,
}: Confirmation & {
  /** More fields. */
  readonly children?: ReactNode;
  readonly refusal: Refusal | null;
  /** The refusal stands at one of the further fields. */
  readonly isTold?: boolean;
  readonly isRunning: boolean;
  /** Whether it was done. */
  readonly onConfirm: (reason: string) => Promise<boolean>;
  readonly onClose?: () => void;
}) {
  const { formatMessage } = useIntl();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [isMissing, setMissing] = useState(false);
  const open = (isWanted: boolean) => {
    setOpen(isWanted);
    if (isWanted) return;
    setMissing(false);
    onClose?.();
  };
  const confirm = async () => {
    const isLacking = asked === "needed" && reason.trim() === "";
    setMissing(isLacking);
    if (isLacking || isRunning || !(await onConfirm(reason.trim()))) return;
    setReason("");
    open(false);
  };
  const isAboutReason = refusal !== null && refusal.field === "reason";
  const error = isMissing ? formatMessage({ id: "windows.missing" }) : isAboutReason ? <RefusalText refusal={refusal} /> : null;
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={open}>
      <Button isDangerous={isDangerous} isPrimary={isPrimary} isDisabled={isDisabled} aria-label={name}>
        {label}
      </Button>
      <ModalOverlay className="overlay" isDismissable>
        <Modal className={styles["modal"]}>
          <Dialog className={styles["dialog"]}>
            <Form
              className={styles["form"]}
              onSubmit={(event) => {
                event.preventDefault();
                void confirm();
              }}
            >
              <Heading slot="title" level={2}>
                {title}
              </Heading>
              <p>{words}</p>
              {children}
              {asked === "none" ? null : (
                <Field
                  label={formatMessage({ id: asked === "needed" ? "windows.reason" : "windows.comment" })}
                  value={reason}
                  onChange={setReason}
                  isRequired={asked === "needed"}
                  error={error}
                  maxLength={1_000}
                />
              )}
              {refusal === null || isAboutReason || isTold ? null : <ErrorState refusal={refusal} />}
              <div className={styles["buttons"]}>
                <Button onPress={() => open(false)}>
                  <FormattedMessage id="windows.close" />
                </Button>
                <Button type="submit" isPrimary={!isDangerous} isDangerous={isDangerous}>
                  {label}
                </Button>
              </div>
            </Form>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
