// In the browser: TensorFlow.js's wasm backend with the drop-in, the modules as they are published. Loaded by the test's page from the test's
// own server. The backend asks for Node's modules by name, and uses none.

const NONE = "data:text/javascript,export default {}";
const imports = {
  "@tensorflow/tfjs-core": "/tfjs-core/tf-core.fesm.min.js",
  fs: NONE,
  os: NONE,
  path: NONE,
  perf_hooks: NONE,
};
const map = document.createElement("script");
map.type = "importmap";
map.textContent = JSON.stringify({ imports });
document.head.append(map);

/** What each operation answers, of TensorFlow.js and with the drop-in, and whether the backend shares its memory with threads. */
export async function answer(names, values) {
  const tf = await import("@tensorflow/tfjs-core");
  const { setWasmPaths } = await import("/tfjs-backend-wasm/tf-backend-wasm.fesm.min.js");
  setWasmPaths("/tfjs-backend-wasm/");
  await tf.setBackend("wasm");
  const ask = () => names.map((name) => [...tf[name](tf.tensor1d(values)).dataSync()]);
  const own = ask();
  await import("/lutra/adapt/tfjs.js");
  return {
    own,
    found: ask(),
    isShared: !(tf.backend().wasm.HEAPU8.buffer instanceof ArrayBuffer),
  };
}
