import { Button as AriaButton, type ButtonProps as AriaButtonProps, Link, type LinkProps } from "react-aria-components";

interface Looks {
  /** The one thing that a page is for. */
  readonly isPrimary?: boolean;
  /** Without a border. */
  readonly isQuiet?: boolean;
  /** Holds, ends or deletes something that others work with. */
  readonly isDangerous?: boolean;
  readonly className?: string | undefined;
}

export type ButtonProps = Omit<AriaButtonProps, "className"> & Looks;

/** A button that says what it does. While `isPending` it says so and cannot be pressed twice. */
export function Button({ isPrimary, isQuiet, isDangerous, className, ...rest }: ButtonProps) {
  return <AriaButton {...rest} className={classOf({ isPrimary, isQuiet, isDangerous, className })} />;
}

/** A link to another address that looks like a button. */
export function LinkButton({ isPrimary, isQuiet, isDangerous, className, ...rest }: Omit<LinkProps, "className"> & Looks) {
  return <Link {...rest} className={classOf({ isPrimary, isQuiet, isDangerous, className })} />;
}

function classOf(looks: { readonly [name in keyof Looks]?: Looks[name] | undefined }): string {
  const { isPrimary, isQuiet, isDangerous, className } = looks;
  return ["button", isPrimary && "button-primary", isQuiet && "button-quiet", isDangerous && "button-dangerous", className]
    .filter(Boolean)
    .join(" ");
}
