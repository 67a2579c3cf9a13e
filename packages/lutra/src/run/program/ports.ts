// Numbers of inputs and outputs, by the module beside a program's where it takes them, else one by one. The same bits.

import { sizeOf, type Tensor } from "../../base/index.ts";
import { type Codes, decodeCodes, encodeNumbers, nanFault, type Quantization } from "../../program/index.ts";
import { PORT_STEP, PORTS, portsModule } from "../../target/wasm/index.ts";
import type { Fixed } from "./constants.ts";
import type { Place } from "./planner.ts";
import type { Functions, ProgramMemory } from "./program-memory.ts";

/** One for all programs. */
let compiled: WebAssembly.Module | undefined;

const ENCODERS: Readonly<Record<string, string>> = { i8: PORTS.encode8, i16: PORTS.encode16 };
const DECODERS: Readonly<Record<string, string>> = { i8: PORTS.decode8, i16: PORTS.decode16, i32: PORTS.decode32 };

export class Ports {
  readonly #memory: ProgramMemory;
  readonly #factors: Fixed["factors"];
  readonly #functions: Functions;

  constructor(memory: ProgramMemory, factors: Fixed["factors"]) {
    compiled ??= new WebAssembly.Module(portsModule());
    this.#memory = memory;
    this.#factors = factors;
    const instance = new WebAssembly.Instance(compiled, { lutra: { memory: memory.shared } });
    this.#functions = instance.exports as unknown as Functions;
  }

  /** @throws LutraError "bad-data" as encodeNumbers */
  encode(name: string, data: Tensor["data"], { type, address, inputNumbers: numbers }: Place, codes: Codes): void {
    const [run, factors] = [this.#functions[ENCODERS[type.lane] ?? ""], this.#factors.inputs.get(name)];
    const count = wholeSteps(data.length);
    const isTaken = data instanceof Float32Array && run !== undefined && factors !== undefined && numbers !== null;
    if (!isTaken || count === 0) {
      encodeNumbers(data, type, codes, name);
      return;
    }
    this.#memory.floats(numbers, data.length).set(data);
    const { zeroPoint } = type.quantization as Quantization;
    const [least, most] = type.range ?? (type.lane === "i8" ? [-128, 127] : [-32768, 32767]);
    const isValid = run(numbers, factors.address, factors.end, address, count, zeroPoint, least, most);
    if (isValid === 0) throw nanFault(name);
    encodeNumbers(data, type, codes, name, count);
  }

  /** What an output's codes stand for; integers where they stand for nothing else. */
  decode(name: string, { type, shape, address, outputNumbers: numbers }: Place, isLast: boolean): Tensor["data"] {
    const length = sizeOf(shape);
    const codes = this.#memory.codes(type.lane, address, length);
    if (type.quantization === undefined) return codes.slice();
    const [run, factors] = [this.#functions[DECODERS[type.lane] ?? ""], this.#factors.outputs.get(name)];
    const count = wholeSteps(length);
    // Outputs of an exit come while memory behind them is still in use.
    if (run === undefined || factors === undefined || numbers === null || count === 0 || !isLast) {
      return decodeCodes(codes, type.quantization);
    }
    run(address, factors.address, factors.end, numbers, count, type.quantization.zeroPoint);
    const floats = new Float32Array(length);
    floats.set(this.#memory.floats(numbers, count));
    return decodeCodes(codes, type.quantization, floats, count);
  }
}

function wholeSteps(length: number): number {
  return length - (length % PORT_STEP);
}
