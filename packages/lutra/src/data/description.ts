// A dataset description: small JSON that says which files hold a model's inputs and answers, how samples are split, and what is measured.
// Types only; parse.ts reads and checks the JSON. Paths are relative to the description; the caller resolves them.

/** What the model is fed, whatever the file stores. */
export const ELEMENT_TYPES = [
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "bool",
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

export const METRICS = ["accuracy", "nll", "perplexity"] as const;
export type Metric = (typeof METRICS)[number];

/** One array: a .npy or idx file, an array of a .npz, a column of a .csv or .tsv, a member of a .jsonl. The first axis counts samples. */
export interface FileReference {
  readonly file: string;
  /** Name of the array, column or member; not needed for .npy and idx. */
  readonly key?: string;
}

/** How long each sample really is along its first axis: an array of lengths, or what is left without trailing `pad` values. */
export type LengthSource = FileReference | { readonly pad: number };

/** value = (stored * scale - mean) / std */
export interface FileInput extends FileReference {
  readonly from: "file";
  readonly type: ElementType;
  /** Several columns of a .csv or .tsv, instead of `key`. */
  readonly columns?: readonly string[];
  /** Shape of one sample, if the file stores it flat or without an axis that the model has. */
  readonly shape?: readonly number[];
  readonly scale: number;
  readonly mean: number;
  readonly std: number;
  readonly length?: LengthSource;
}

/** 1 where the other input holds a real value, 0 where it is padding ("mask"); or 0 everywhere ("zeros"). Same length as the other. */
export interface CompanionInput {
  readonly from: "mask" | "zeros";
  readonly type: ElementType;
  readonly of: string;
}

/** Seeded whole numbers in [0, below): token ids where no text is at hand. */
export interface RandomInput {
  readonly from: "random";
  readonly type: ElementType;
  readonly count: number;
  /** Shape of one sample. */
  readonly shape: readonly number[];
  readonly below: number;
  readonly seed: number;
}

export type InputSource = FileInput | CompanionInput | RandomInput;
export type InputSources = Readonly<Record<string, InputSource>>;

/**
 * The right answers. labels: one class per sample. next-token: position p of the named input is answered by position p + 1.
 * masked-token: one class per position, `ignore` where nothing is asked.
 */
export type TargetSource =
  | (FileReference & { readonly kind: "labels" })
  | { readonly kind: "next-token"; readonly input: string }
  | (FileReference & { readonly kind: "masked-token"; readonly ignore: number });

export interface SplitSizes {
  readonly calibration: number;
  readonly selection: number;
  /** Null for all the rest. */
  readonly report: number | null;
  readonly seed: number;
}

export interface DatasetDescription {
  readonly name: string;
  readonly inputs: InputSources;
  readonly target: TargetSource | null;
  /** The output that is scored; the model's only output if null. */
  readonly output: string | null;
  /** The first is the headline; [] without a target. */
  readonly metrics: readonly Metric[];
  readonly splits: SplitSizes;
  /** Inputs for calibration that are none of the dataset's own samples; null to draw them from the samples. */
  readonly calibration: InputSources | null;
}
