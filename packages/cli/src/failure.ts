// What a failed command says and with which code it exits. A LutraError is the user's to mend: message, place and note, never a
// stack trace. Anything else is ours: its stack trace goes into the report that we ask for.

/** Documented in `lutra --help`; scripts rely on them. */
export const EXIT = { ok: 0, user: 1, usage: 2, internal: 70, interrupted: 130 } as const;

/** The shape of the library's LutraError. Recognised by its name, so that failing needs no import of the library. */
interface UserError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly note: string | undefined;
}

function isUserError(error: unknown): error is UserError {
  return error instanceof Error && error.name === "LutraError";
}

export function exitCodeOf(error: unknown): number {
  if (!isUserError(error)) return EXIT.internal;
  return error.code === "cancelled" ? EXIT.interrupted : EXIT.user;
}

export function failureText(error: unknown): string {
  if (isUserError(error)) {
    if (error.code === "cancelled") return `lutra: interrupted; ${error.note ?? "nothing was written"}\n`;
    const lines = [`lutra: ${error.message}`];
    if (error.where !== undefined) lines.push(indented("at:  ", error.where));
    if (error.note !== undefined) lines.push(indented("note: ", error.note));
    return `${lines.join("\n")}\n`;
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    "lutra: internal error. This is a defect in lutra, not in what you gave it.",
    "  note: please report it with the command you ran, `lutra --version` and these lines:",
    details,
    "",
  ].join("\n");
}

/** Keeps the lines of a longer text (a caret under an expression) in their columns. */
function indented(label: string, text: string): string {
  return `  ${label.padEnd(6)}${text.split("\n").join(`\n${" ".repeat(8)}`)}`;
}
