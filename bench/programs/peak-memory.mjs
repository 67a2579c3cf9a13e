// Loads a program and answers once: `node --expose-gc peak-memory.mjs MODEL SAMPLE` prints how much memory that took. Started by fresh.mjs.
//
// The process looks whenever an array, a memory or an instance is made: all that is made of them is alive or garbage, and garbage is collected
// before a new peak counts. Node's own count of array buffers leaves WebAssembly's memories out, so these are followed one by one.
import { readFileSync } from "node:fs";

const [model, sample] = process.argv.slice(2);
const given = Object.entries(JSON.parse(readFileSync(sample, "utf8"))).map(([name, { shape, data, isFloat }]) => {
  return [name, { shape, data: isFloat ? Float32Array.from(data) : Int32Array.from(data) }];
});
const inputs = Object.fromEntries(given);
/** Peaks closer than this are one: looking costs time. */
const GRAIN = 16_384;

const memories = [];
const [collect, { memoryUsage }] = [globalThis.gc, process];
let start = 0;
let peak = { bytes: 0, webAssembly: 0, buffers: 0 };

const { load } = await import("lutra/run");
watchArrays();
watchMemories();
collect();
start = memoryUsage().arrayBuffers;
const startResident = memoryUsage.rss();
const loaded = await load(bytesOf(model));
look();
const outputs = await loaded.run(inputs);
look();
if (Object.keys(outputs).length === 0) throw new Error("the program answers nothing");
const resident = process.resourceUsage().maxRSS * 1024 - startResident;
console.log(JSON.stringify({ ...peak, resident }));

/** The file alone, in a buffer of its own. */
function bytesOf(path) {
  return readFileSync(path);
}

function look() {
  if (taken().bytes < peak.bytes + GRAIN) return;
  collect();
  const now = taken();
  if (now.bytes > peak.bytes) peak = now;
}

function taken() {
  const alive = memories.flatMap((reference) => reference.deref() ?? []);
  const webAssembly = alive.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  const buffers = memoryUsage().arrayBuffers - start;
  return { bytes: webAssembly + buffers, webAssembly, buffers };
}

/** Constructors look after they have made one. */
function watchArrays() {
  const names = ["ArrayBuffer", "Uint8Array", "Int8Array", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"];
  for (const name of [...names, "Float32Array", "Float64Array", "BigInt64Array"]) {
    globalThis[name] = new Proxy(globalThis[name], { construct: (...how) => looked(Reflect.construct(...how)) });
  }
}

function watchMemories() {
  const follow = (memory) => {
    memories.push(new WeakRef(memory));
    return looked(memory);
  };
  const ofInstance = (instance) => {
    for (const one of Object.values(instance.exports)) if (one instanceof Memory) follow(one);
    return instance;
  };
  const { Memory, Instance, instantiate } = WebAssembly;
  WebAssembly.Memory = new Proxy(Memory, { construct: (...how) => follow(Reflect.construct(...how)) });
  WebAssembly.Instance = new Proxy(Instance, { construct: (...how) => ofInstance(Reflect.construct(...how)) });
  WebAssembly.instantiate = async (...how) => {
    const made = await instantiate(...how);
    ofInstance(made.instance ?? made);
    return made;
  };
}

function looked(made) {
  look();
  return made;
}
