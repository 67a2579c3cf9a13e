// What a traced network computes, in binary64, operator by operator: for tests.
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { choose, combine, spread } from "../../packages/lutra/src/model/trace/folding.ts";
import type { Constant, Network, Operator, Place } from "../../packages/lutra/src/model/trace/network.ts";
import { commonShape, type Polynomial, walkPlaces } from "../../packages/lutra/src/program/index.ts";

type Extents = Readonly<Record<string, number>>;

function valueIn(size: Polynomial, extents: Extents): number {
  let sum = 0;
  for (const [names, factor] of size) {
    sum +=
      names === "" ? factor : names.split("*").reduce((product, name) => product * (extents[name] as number), factor);
  }
  return sum;
}

export function runNetwork(
  network: Network,
  inputs: Readonly<Record<string, Constant>>,
  observe: (tensor: string, value: Constant) => void = () => undefined,
): Readonly<Record<string, Constant>> {
  const extents: Record<string, number> = {};
  for (const name of network.inputs) {
    network.shapes[name]?.forEach((size, axis) => {
      const [term] = [...size.keys()];
      if (size.size === 1 && term !== undefined && term !== "") extents[term] = inputs[name]?.shape[axis] as number;
    });
  }
  const held = new Map<string, Constant>([...Object.entries(network.constants), ...Object.entries(inputs)]);
  const get = (name: string): Constant => held.get(name) as Constant;
  for (const operator of network.operators) {
    const shape = (network.shapes[operator.result] ?? []).map((size) => valueIn(size, extents));
    const result = compute(operator, shape, get, extents);
    if (result.data.length !== shape.reduce((a, b) => a * b, 1))
      throw new Error(`${operator.op}: ${result.shape} for ${shape}`);
    held.set(operator.result, { shape, data: result.data });
    observe(operator.result, { shape, data: result.data });
  }
  return Object.fromEntries(Object.entries(network.outputs).map(([name, tensor]) => [name, get(tensor)]));
}

const FUNCTIONS = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
  equal: (a: number, b: number) => Number(a === b),
  less: (a: number, b: number) => Number(a < b),
  greater: (a: number, b: number) => Number(a > b),
  and: (a: number, b: number) => Number(a !== 0 && b !== 0),
  or: (a: number, b: number) => Number(a !== 0 || b !== 0),
} as const;

function compute(
  operator: Operator,
  shape: readonly number[],
  get: (name: string) => Constant,
  extents: Extents,
): Constant {
  switch (operator.op) {
    case "binary":
      return combine(FUNCTIONS[operator.fn], get(operator.a), get(operator.b));
    case "select":
      return choose(get(operator.condition), get(operator.a), get(operator.b));
    case "function": {
      const fn = parseFn(operator.fn);
      return { shape, data: get(operator.input).data.map((x) => fn.evaluate(x)) };
    }
    case "reshape":
      return { shape, data: get(operator.input).data };
    case "count":
      return { shape, data: Float64Array.from({ length: shape[0] as number }, (_, i) => i) };
    case "product":
      return product(get(operator.a), get(operator.b));
    case "gather": {
      const [table, ids] = [get(operator.table), get(operator.ids)];
      const length = table.data.length / (table.shape[0] as number);
      return {
        shape,
        data: Float64Array.from(
          { length: ids.data.length * length },
          (_, i) => table.data[(ids.data[Math.floor(i / length)] as number) * length + (i % length)] as number,
        ),
      };
    }
    case "move": {
      const data = new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(operator.fill);
      for (const { from, box, read, write } of operator.pieces) {
        const source = get(from).data;
        const extent = box.map((size) => valueIn(size, extents));
        const places = ({ start, strides }: Place): Float64Array =>
          walkPlaces(
            valueIn(start, extents),
            strides.map((stride) => valueIn(stride, extents)),
            extent,
          );
        const [at, to] = [places(read), places(write)];
        at.forEach((place, i) => {
          data[to[i] as number] = source[place] as number;
        });
      }
      return { shape, data };
    }
    default:
      return rows(operator, shape, get);
  }
}

function product(a: Constant, b: Constant): Constant {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1) as number;
  const outer = commonShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = spread(a, [...outer, m, k]);
  const right = b.shape.length === 2 ? b.data : spread(b, [...outer, k, n]);
  const count = outer.reduce((x, y) => x * y, 1);
  const data = new Float64Array(count * m * n);
  for (let block = 0; block < count; block++) {
    const at = b.shape.length === 2 ? 0 : block * k * n;
    for (let i = 0; i < m; i++) {
      for (let x = 0; x < k; x++) {
        const factor = left[(block * m + i) * k + x] as number;
        for (let j = 0; j < n; j++) data[(block * m + i) * n + j] += factor * (right[at + x * n + j] as number);
      }
    }
  }
  return { shape: [...outer, m, n], data };
}

function rows(
  operator: Extract<Operator, { op: "softmax" | "norm" | "mean" }>,
  shape: readonly number[],
  get: (name: string) => Constant,
): Constant {
  const input = get(operator.input);
  const length = input.shape.at(-1) as number;
  const data = new Float64Array(operator.op === "mean" ? input.data.length / length : input.data.length);
  for (let at = 0; at < input.data.length; at += length) {
    const row = Array.from(input.data.subarray(at, at + length));
    const mean = row.reduce((a, b) => a + b, 0) / length;
    if (operator.op === "mean") data[at / length] = mean;
    else if (operator.op === "softmax") {
      const most = Math.max(...row);
      const powers = row.map((x) => Math.exp(x - most));
      const sum = powers.reduce((a, b) => a + b, 0);
      data.set(
        powers.map((x) => x / sum),
        at,
      );
    } else {
      const centre = operator.kind === "layer-norm" ? mean : 0;
      const variance = row.reduce((a, x) => a + (x - centre) ** 2, 0) / length;
      const [gamma, beta] = [operator.gamma, operator.beta].map((name) => (name === null ? null : get(name).data));
      data.set(
        row.map(
          (x, i) => ((x - centre) / Math.sqrt(variance + operator.epsilon)) * (gamma?.[i] ?? 1) + (beta?.[i] ?? 0),
        ),
        at,
      );
    }
  }
  return { shape, data };
}
