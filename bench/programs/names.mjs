// What the races of programs and their contestants are called: races, figures and tables agree on it.

export const LUTRA = {
  relaxed: "lutra, relaxed SIMD",
  relaxedCodes: "lutra, relaxed SIMD, codes",
  simd: "lutra, SIMD",
  simdCodes: "lutra, SIMD, codes",
  chosen: "lutra",
  codes: "lutra, codes",
  oneProduct: "lutra, relaxed SIMD, one product in a call",
  product: "lutra, relaxed SIMD, product",
};
export const WEB = "onnxruntime-web, binary32";
export const WEB_INT8 = "onnxruntime-web, int8";
export const NODE = "onnxruntime-node, binary32";
export const NODE_INT8 = "onnxruntime-node, int8";
export const LIMIT = "128-bit dots of registers";
export const PRODUCT = "product 128x768x768";

/** Whole models in races, with the dataset that one sample is of. */
export const MODELS = [
  { race: "kwt1", model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands.json" },
  { race: "sst2_bert_tiny", model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2.json" },
];

export function layerName(size) {
  return `BERT-${size} layer`;
}
