import type { Refusal } from "@quiesce/client";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import { Checkbox, Form } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";
import { ErrorState, Empty, Loading } from "../components/states.js";
import { CreateWindowDocument, EditedWindowDocument, PreviewWindowDocument, UpdateWindowDocument } from "./editor.generated.js";
import { Fields, isAtField, isComplete } from "./editor-fields.js";
import { PreviewPanel } from "./preview.js";
import {
  type EditedWindow,
  emptyForm,
  formOf,
  inputOf,
  movedTo,
  previewInputOf,
  type WindowForm,
  type WindowInput,
} from "./window-form.js";
import styles from "./windows.module.css";

/** A preview is asked for when nobody has typed for so long. */
const QUIET_MS = 250;

/** Plans a new window; its times may come with the address, from a slot that was found. */
export function NewWindowPage() {
  const search = useSearch({ from: "/plan" });
  const { ownZone } = useTimes();
  const [form] = useState(() => emptyForm(Date.now(), search, ownZone));
  return <Editor edited={null} initial={form} />;
}

/** Changes a window that stands. */
export function EditWindowPage() {
  const { key } = useParams({ from: "/plan/$key" });
  const { data, refusal, again } = useLiveQuery(EditedWindowDocument, { key });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  if (data.maintenanceWindow === null)
    return (
      <Empty>
        <FormattedMessage id="windows.unknown-window" values={{ key }} />
      </Empty>
    );
  return <Editor key={data.maintenanceWindow.id} edited={data.maintenanceWindow} initial={formOf(data.maintenanceWindow)} />;
}

function Editor({ edited, initial }: { readonly edited: EditedWindow | null; readonly initial: WindowForm }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const [wasTried, setTried] = useState(false);
  const preview = usePreview(form, edited?.key);
  const create = useCommand(CreateWindowDocument);
  const update = useCommand(UpdateWindowDocument);
  const refusal = create.refusal ?? update.refusal;
  const save = async () => {
    setTried(true);
    const input = inputOf(form);
    if (input === null || !isComplete(form) || create.isRunning || update.isRunning) return;
    const saved =
      edited === null
        ? (await create.run({ input }))?.createMaintenanceWindow
        : (await update.run({ input: { ...input, key: edited.key } }))?.updateMaintenanceWindow;
    if (saved !== undefined) await navigate({ to: "/windows/$key", params: { key: saved.key } });
  };
  const title =
    edited === null ? formatMessage({ id: "windows.new.title" }) : formatMessage({ id: "windows.edit.title" }, { title: edited.title });
  return (
    <Page title={title}>
      <div className={styles["editor"]}>
        <Form
          className={styles["form"]}
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <Fields form={form} onChange={(part) => setForm((before) => ({ ...before, ...part }))} said={{ refusal, wasTried }} />
          {refusal === null || isAtField(refusal) ? null : <ErrorState refusal={refusal} />}
          {isLong(refusal, preview) || form.confirmLong ? (
            <Checkbox className="checkbox" isSelected={form.confirmLong} onChange={(confirmLong) => setForm({ ...form, confirmLong })}>
              <span className="checkbox-box" aria-hidden="true" />
              <FormattedMessage id="windows.confirm-long" />
            </Checkbox>
          ) : null}
          <SaveButton preview={preview} />
        </Form>
        <PreviewPanel
          input={preview.input}
          preview={preview.data}
          refusal={preview.refusal}
          onTake={form.special === null && form.timing.repeats === "once" ? (slot) => setForm((before) => movedTo(before, slot)) : null}
        />
      </div>
    </Page>
  );
}

/** A window over 31 days wants a word that it is meant. */
function isLong(refusal: Refusal | null, { data }: PreviewReading): boolean {
  return [refusal, ...(data?.refusals ?? [])].some((one) => one?.code === "QSC_WINDOW_LONG");
}

interface PreviewReading {
  readonly input: WindowInput | null;
  readonly data: NonNullable<Parameters<typeof PreviewPanel>[0]["preview"]> | undefined;
  readonly refusal: Refusal | null;
}

function usePreview(form: WindowForm, key: string | undefined): PreviewReading {
  const planned = previewInputOf(form);
  // By its key the server knows that it does not meet itself.
  const wanted = JSON.stringify(planned === null || key === undefined ? planned : { ...planned, key });
  const [asked, setAsked] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(wanted), QUIET_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const input = useMemo(() => JSON.parse(asked) as WindowInput | null, [asked]);
  const { data, refusal } = useLiveQuery(PreviewWindowDocument, { input: input ?? unasked }, { isPaused: input === null });
  const shown = useDeferredValue(data?.previewMaintenanceWindow);
  return { input, data: shown, refusal: input === null ? null : refusal };
}

/** Stands for the variables of a question that is not asked. */
const unasked: WindowInput = { title: "", owner: "", reason: "", scope: {}, series: { start: "", timeZone: "UTC" } };

/** Says what it does: how much it holds, and from when. */
function SaveButton({ preview }: { readonly preview: PreviewReading }) {
  const { formatMessage, formatDate } = useIntl();
  const { input, data } = preview;
  const first = data?.occurrences[0];
  const text = () => {
    if (input === null || data === undefined || first === undefined) return formatMessage({ id: "windows.save" });
    const day = formatDate(first.startsAt, { timeZone: input.series.timeZone, day: "numeric", month: "long" });
    if (data.approvals.length > 0) return formatMessage({ id: "windows.save.unapproved" });
    if (input.mode === "OBSERVE") return formatMessage({ id: "windows.save.observes" }, { day });
    if (data.heldJobs.length === 0) return formatMessage({ id: "windows.save.covers" }, { count: data.members.length, day });
    return formatMessage({ id: "windows.save.holds" }, { jobs: data.heldJobs.length, day });
  };
  return (
    <Button type="submit" isPrimary className={styles["save"]}>
      {text()}
    </Button>
  );
}
