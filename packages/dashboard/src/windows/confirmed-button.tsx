import type { Refusal } from "@quiesce/client";
import { type ReactNode, useState } from "react";
import { Dialog, DialogTrigger, Form, Heading, Modal, ModalOverlay } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import { ErrorState } from "../components/states.js";
import { Field } from "./text-field.js";
import styles from "./windows.module.css";

/** A button that first says what will happen, and asks why. It stays open with the server's words when that refuses. */
export function ConfirmedButton({
  label,
  name,
  title,
  words,
  isDangerous = false,
  isReasonNeeded = true,
  children,
  refusal,
  isRunning,
  onConfirm,
}: {
  readonly label: string;
  /** What a screen reader says, where several buttons have the same label. */
  readonly name?: string;
  readonly title: string;
  readonly words: string;
  readonly isDangerous?: boolean;
  readonly isReasonNeeded?: boolean;
  /** More fields. */
  readonly children?: ReactNode;
  readonly refusal: Refusal | null;
  readonly isRunning: boolean;
  /** Whether it was done. */
  readonly onConfirm: (reason: string) => Promise<boolean>;
}) {
  const { formatMessage } = useIntl();
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [isMissing, setMissing] = useState(false);
  const confirm = async () => {
    const isLacking = isReasonNeeded && reason.trim() === "";
    setMissing(isLacking);
    if (isLacking || isRunning || !(await onConfirm(reason.trim()))) return;
    setReason("");
    setOpen(false);
  };
  const error = isMissing ? formatMessage({ id: "windows.missing" }) : refusal?.field === "reason" ? refusal.message : null;
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button isDangerous={isDangerous} aria-label={name}>
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
              <Field
                label={formatMessage({ id: isReasonNeeded ? "windows.reason" : "windows.comment" })}
                value={reason}
                onChange={setReason}
                isRequired={isReasonNeeded}
                error={error}
                maxLength={1_000}
              />
              {refusal === null ? null : <ErrorState refusal={refusal} />}
              <div className={styles["dialog-buttons"]}>
                <Button onPress={() => setOpen(false)}>
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
