// Says what a file that is not ONNX looks like, from its first bytes. A courtesy for error messages: nothing is decided by it alone.

const SIGNATURES: readonly (readonly [offset: number, bytes: string, what: string])[] = [
  [0, "PK\x03\x04", "a ZIP archive (a PyTorch checkpoint, an .npz or a zipped model)"],
  [4, "TFL3", "a TensorFlow Lite model"],
  [4, "ORTM", "an onnxruntime .ort file"],
  [0, "\x89HDF", "an HDF5 file (a Keras model)"],
  [0, "GGUF", "a GGUF file (llama.cpp)"],
  [0, "\x93NUMPY", "a NumPy array"],
  [0, "\x1f\x8b", "a gzip archive"],
  [0, "\x80\x02", "a Python pickle (an old PyTorch checkpoint)"],
  [0, "version https://git-lfs", "a Git LFS pointer: the file itself was not fetched (git lfs pull)"],
  [8, '{"', "a safetensors file"],
  [0, "<", "an HTML or XML page"],
  [0, "{", "JSON text"],
];

/** In words, what the bytes look like; null if they look like nothing known (ONNX has no signature). */
export function looksLike(bytes: Uint8Array): string | null {
  for (const [offset, text, what] of SIGNATURES) {
    const matches = Array.from(text).every((character, i) => bytes[offset + i] === character.charCodeAt(0));
    if (matches) return what;
  }
  const head = bytes.subarray(0, 64);
  const printable = head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  return printable ? "text" : null;
}
