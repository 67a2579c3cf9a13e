// From texts to token ids. Characters are looked up here; every other tokenizer is opened by what the caller passes in, from the JSON of a
// tokenizer.json. BERT's vocab.txt becomes such a JSON here. Knows no package.

import { LutraError } from "../base/index.ts";
import type { TextInput, TokenizerSource } from "./description.ts";
import type { SampleReader, StoredArray } from "./files.ts";
import { packLists } from "./text.ts";

/** The tokens of one text, special ones included, and their ids. Same length. */
export interface Encoded {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

/** Opens a tokenizer from the JSON of a tokenizer.json and of a tokenizer_config.json ({} without one). */
export type OpenTokenizer = (tokenizer: object, config: object) => Promise<(text: string) => Encoded>;

/** Ids of a text, and where its mark points: the id's index, or -1 without a mark. */
type Tokenize = (text: string) => { readonly ids: readonly number[]; readonly mark: number };

/**
 * The ids of every text, padded with 0 to the longest.
 * @throws LutraError "bad-data" naming the sample; "unsupported" if a tokenizer is needed and none can be opened
 */
export async function loadTexts(
  { text, tokenizer }: TextInput,
  read: SampleReader,
  open: OpenTokenizer | null,
): Promise<StoredArray> {
  const tokenize = await openSource(tokenizer, read, open);
  const name = `${text.file}: ${text.column}`;
  const encoded = (await read.texts(text)).map((line, sample) => {
    try {
      return tokenize(line);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const where = `${name}: sample ${sample}`;
      throw new LutraError("bad-data", `the text cannot be tokenised: ${reason}`, { where, cause });
    }
  });
  const ids = encoded.map((one) => one.ids);
  const { shape, data } = packLists(ids, name);
  const lengths = Int32Array.from(ids, ({ length }) => length);
  return { shape, data, lengths, name, marks: Int32Array.from(encoded, ({ mark }) => mark) };
}

async function openSource(source: TokenizerSource, read: SampleReader, open: OpenTokenizer | null): Promise<Tokenize> {
  if (source.kind === "characters") return byCharacter(source, await readVocabulary(source.vocab, read));
  if (open === null) {
    throw new LutraError("unsupported", "the dataset's texts need a tokenizer, and none was passed in", {
      where: source.kind === "json" ? source.file : source.vocab,
      note: 'pass loadDataset an opener: tokenizerOpener of "lutra/tokenizers" makes one',
    });
  }
  if (source.kind === "json") {
    const config = source.config === undefined ? {} : await read.object(source.config);
    const encode = await opening(source.file, open, await read.object(source.file), config);
    return (text) => ({ ids: encode(text).ids, mark: -1 });
  }
  const vocabulary = lineNumbers(await read.lines(source.vocab));
  const encode = await opening(source.vocab, open, bertTokenizer(vocabulary, source), {});
  if (source.ids === undefined) return (text) => ({ ids: encode(text).ids, mark: -1 });
  const own = lineNumbers(await read.lines(source.ids));
  const unknown = idOf(own, "[UNK]", source.ids);
  return (text) => ({ ids: encode(text).tokens.map((token) => own.get(token) ?? unknown), mark: -1 });
}

async function opening(
  where: string,
  open: OpenTokenizer,
  tokenizer: object,
  config: object,
): Promise<(text: string) => Encoded> {
  try {
    return await open(tokenizer, config);
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("bad-data", `the tokenizer cannot be opened: ${reason}`, { where, cause });
  }
}

function byCharacter(
  source: Extract<TokenizerSource, { kind: "characters" }>,
  vocabulary: ReadonlyMap<string, number>,
): Tokenize {
  const unknown = idOf(vocabulary, source.unknown, source.vocab);
  const begin = source.begin === undefined ? [] : [idOf(vocabulary, source.begin, source.vocab)];
  const end = source.end === undefined ? [] : [idOf(vocabulary, source.end, source.vocab)];
  return (text) => {
    const marked = [...text];
    const place = source.mark === undefined ? -1 : marked.indexOf(source.mark);
    const ids = marked
      .filter((character) => character !== source.mark)
      .map((character) => vocabulary.get(character) ?? unknown);
    return { ids: [...begin, ...ids, ...end], mark: place < 0 ? -1 : place + begin.length };
  };
}

/** A JSON object of tokens and ids. */
async function readVocabulary(file: string, read: SampleReader): Promise<ReadonlyMap<string, number>> {
  const entries = Object.entries(await read.object(file)).map(([token, id]) => {
    if (typeof id === "number" && Number.isInteger(id) && id >= 0) return [token, id] as const;
    throw new LutraError("bad-data", `the id of "${token}" must be a whole number from 0`, { where: file });
  });
  return new Map(entries);
}

function lineNumbers(lines: readonly string[]): ReadonlyMap<string, number> {
  return new Map(lines.map((token, line) => [token, line]));
}

function idOf(vocabulary: ReadonlyMap<string, number>, token: string, file: string): number {
  const id = vocabulary.get(token);
  if (id !== undefined) return id;
  throw new LutraError("bad-data", `the vocabulary has no "${token}"`, { where: file });
}

/** BERT's tokenizer (Devlin et al. 2018) as a tokenizer.json: clean, split at white space and punctuation, longest pieces first. */
function bertTokenizer(
  vocabulary: ReadonlyMap<string, number>,
  { vocab, lowercase }: { readonly vocab: string; readonly lowercase: boolean },
): object {
  const special = (content: string) => ({ id: idOf(vocabulary, content, vocab), content, special: true });
  const [unknown, first, last] = ["[UNK]", "[CLS]", "[SEP]"].map(special);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const frame = { type_id: 0 };
  return {
    added_tokens: [unknown, first, last].map((token) => ({ ...token, ...flags })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: first.content, ...frame } },
        { Sequence: { id: "A", ...frame } },
        { SpecialToken: { id: last.content, ...frame } },
      ],
      pair: [],
      special_tokens: Object.fromEntries(
        [first, last].map(({ id, content }) => [content, { id: content, ids: [id], tokens: [content] }]),
      ),
    },
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: unknown.content,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  };
}
