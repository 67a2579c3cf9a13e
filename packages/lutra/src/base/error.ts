// The one error class for what a user can cause. A programming mistake stays a TypeError or RangeError.

/** Stable error codes: what went wrong, for programs. Messages are for people and may change. */
export type LutraErrorCode =
  | "bad-argument"
  | "bad-expression"
  | "bad-format"
  | "bad-table"
  | "bad-model"
  | "unsupported"
  | "bad-data"
  | "infeasible"
  | "mismatch"
  | "cancelled"
  | "io";

export interface LutraErrorDetails {
  /** Place: "column 5 of the expression", "node /encoder/Softmax", "table.json: coefficients[1][3]". */
  readonly where?: string;
  /** What the user can do about it. */
  readonly note?: string;
  readonly cause?: unknown;
}

export class LutraError extends Error {
  readonly code: LutraErrorCode;
  readonly where: string | undefined;
  readonly note: string | undefined;

  constructor(code: LutraErrorCode, message: string, details: LutraErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "LutraError";
    this.code = code;
    this.where = details.where;
    this.note = details.note;
  }
}
