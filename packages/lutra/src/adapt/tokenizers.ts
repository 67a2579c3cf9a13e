// `@huggingface/tokenizers` as what datasets open their tokenizers with. The module is passed in, so lutra itself depends on none.

/** The part of the `@huggingface/tokenizers` module that is used: `import * as tokenizers from "@huggingface/tokenizers"`. */
export interface TokenizersModule {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => {
    encode(text: string): { readonly ids: readonly number[]; readonly tokens: readonly string[] };
  };
}

/**
 * An opener for `loadDataset`: from the JSON of a tokenizer.json, and of its tokenizer_config.json ({} without one), to a function that gives
 * a text's tokens and ids, special tokens included.
 */
export function tokenizerOpener(
  module: TokenizersModule,
): (
  tokenizer: object,
  config: object,
) => Promise<(text: string) => { ids: readonly number[]; tokens: readonly string[] }> {
  return async (tokenizer, config) => {
    const opened = new module.Tokenizer(tokenizer, config);
    return (text) => opened.encode(text);
  };
}
