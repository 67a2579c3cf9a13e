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

/** sequence-accuracy: the share of samples whose every judged row is right. */
export const METRICS = ["accuracy", "nll", "perplexity", "sequence-accuracy"] as const;
export type Metric = (typeof METRICS)[number];

/** What the scored output holds. A row of a single number is a decision: yes above 0, or above 0.5. */
export const SCORES = ["logits", "probabilities"] as const;
export type Scores = (typeof SCORES)[number];

/** One array: a .npy, idx or .wav file, an array of a .npz, a column of a .csv or .tsv, a member of a .jsonl. The first axis counts samples. */
export interface FileReference {
  readonly file: string;
  /** Name of the array, column or member; not needed for .npy, idx and .wav. */
  readonly key?: string;
}

/** How long each sample really is along its first axis: an array of lengths, or what is left without trailing `pad` values. */
export type LengthSource = FileReference | { readonly pad: number };

/** Samples cut from one long signal: sample i is `size` values that begin at i * step - before; 0 before the signal's start. */
export interface Windows {
  readonly size: number;
  readonly step: number;
  readonly before: number;
}

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
  readonly windows?: Windows;
}

/** One text per sample: a column of a .csv or .tsv, or a member of a .jsonl. A number counts the columns of a file without header line, from 1. */
export interface TextReference {
  readonly file: string;
  readonly column: string | number;
}

/**
 * How texts become ids. json: a tokenizer.json, with its tokenizer_config.json if there is one. wordpiece: BERT's, by its vocab.txt; `ids`
 * is the model's own, smaller vocabulary, pieces that it lacks are [UNK]. characters: a JSON object of character to id, with the tokens that
 * stand for others, begin and end a text; `mark` is no character of the text but points at the one after it.
 */
export type TokenizerSource =
  | { readonly kind: "json"; readonly file: string; readonly config?: string }
  | { readonly kind: "wordpiece"; readonly vocab: string; readonly lowercase: boolean; readonly ids?: string }
  | {
      readonly kind: "characters";
      readonly vocab: string;
      readonly unknown: string;
      readonly begin?: string;
      readonly end?: string;
      readonly mark?: string;
    };

export interface TextInput {
  readonly from: "text";
  readonly type: ElementType;
  readonly text: TextReference;
  readonly tokenizer: TokenizerSource;
}

/** The same numbers in every sample. */
export interface ConstantInput {
  readonly from: "constant";
  readonly type: ElementType;
  readonly value: number;
  /** Shape of one sample. */
  readonly shape: readonly number[];
}

/** A recurrent model's state: 0 for the first sample of a split, then what `output` was for the sample before. */
export interface CarriedInput {
  readonly from: "carry";
  readonly type: ElementType;
  readonly output: string;
  /** Shape of one sample. */
  readonly shape: readonly number[];
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

export type InputSource = FileInput | TextInput | CompanionInput | RandomInput | ConstantInput | CarriedInput;
export type InputSources = Readonly<Record<string, InputSource>>;

/**
 * The right answers. labels: one class per sample; or one text per sample, whose class a JSON object says; `at` names the text input whose
 * mark points at the row that is judged, which is the only row otherwise. next-token: position p of the named input is answered by position p + 1.
 * masked-token: one class per position, `ignore` where nothing is asked.
 */
export type TargetSource =
  | (FileReference & { readonly kind: "labels"; readonly at?: string })
  | { readonly kind: "labels"; readonly text: TextReference; readonly classes: string; readonly at?: string }
  | { readonly kind: "next-token"; readonly input: string }
  | (FileReference & { readonly kind: "masked-token"; readonly ignore: number });

export interface SplitSizes {
  readonly calibration: number;
  readonly selection: number;
  /** Null for all the rest. */
  readonly report: number | null;
  readonly seed: number;
  /** False: in the order of the files, for samples that follow each other in time. */
  readonly shuffle: boolean;
}

export interface DatasetDescription {
  readonly name: string;
  readonly inputs: InputSources;
  readonly target: TargetSource | null;
  /** The output that is scored; the model's only output if null. */
  readonly output: string | null;
  readonly scores: Scores;
  /** The first is the headline; [] without a target. */
  readonly metrics: readonly Metric[];
  readonly splits: SplitSizes;
  /** Inputs for calibration that are none of the dataset's own samples; null to draw them from the samples. */
  readonly calibration: InputSources | null;
}
