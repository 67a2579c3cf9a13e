// Who takes part without searching a table: formulas and integer algorithms, piecewise polynomials, and other functions in a function's
// place.

import { LutraError, type Work } from "../base/index.ts";
import { prepare } from "../fit/index.ts";
import { parseFn } from "../fn/index.ts";
import { cost, interpret, type Kernel } from "../kernel/index.ts";
import { approximations, type Approximation as Method, polynomials, SUBSTITUTES } from "../layer/index.ts";
import { BINARY32, decode } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { inIntegers, isOnCodes } from "./grids.ts";
import type { Approximation, Candidate, Question } from "./types.ts";

/** Derivatives that a minimax or Taylor polynomial of degree 3 needs. */
const DERIVATIVES = 3;

/** The methods without a table that take a question's function. */
export function formulasFor({ fn, problems }: Question): readonly Candidate[] {
  const kernels = problems.map((problem) => methodsOf(fn, problem));
  const names = new Set(kernels.flatMap((methods) => methods.map(({ method }) => method)));
  const substitutes = Object.hasOwn(SUBSTITUTES, fn) ? (SUBSTITUTES[fn] ?? []) : [];
  return [
    ...[...names].map((method) => computed(method)),
    ...substitutes.filter(({ method }) => !names.has(method)).map(substituted),
  ];
}

/** A method's kernel and the form of the problem it answers: integers where the points are codes and it has such a form. */
interface Form extends Method {
  readonly problem: Problem;
}

function methodsOf(fn: string, problem: Problem): readonly Form[] {
  const inCodes = isOnCodes(problem) ? inIntegers(problem) : null;
  const integers = inCodes === null ? [] : forms(approximations(fn, inCodes.spec.input), inCodes);
  const floats = forms([...approximations(fn, BINARY32), ...piecewise(problem)], problem);
  return [...integers, ...floats.filter(({ method }) => !integers.some((one) => one.method === method))];
}

function forms(methods: readonly Method[], problem: Problem): readonly Form[] {
  return methods.map((method) => ({ ...method, problem }));
}

function piecewise({ spec, size }: Problem): readonly Method[] {
  if (!("segments" in size)) return [];
  const derivatives: ((x: number) => number)[] = [];
  let fn = parseFn(spec.fn);
  for (let i = 0; i <= DERIVATIVES; i++) {
    const { evaluate } = fn;
    derivatives.push((x) => evaluate(x));
    if (i < DERIVATIVES) fn = fn.derivative();
  }
  return polynomials(spec.fn, spec.domain, derivatives, size.segments);
}

function computed(method: string): Candidate {
  return {
    method,
    drawsLots: false,
    *find({ fn, problems }): Work<readonly Approximation[]> {
      const found: Approximation[] = [];
      for (const problem of problems) {
        yield { stage: method, done: found.length, total: problems.length };
        const form = methodsOf(fn, problem).find((one) => one.method === method);
        if (form === undefined) throw new LutraError("unsupported", `${method} has no form for these inputs`);
        found.push(approximationBy(form.kernel(), form.problem, /^(polynomial|taylor)/.test(method)));
      }
      return found;
    },
  };
}

/** @param isPiecewise whether it has as many pieces as the problem asks for segments */
function approximationBy(kernel: Kernel, problem: Problem, isPiecewise: boolean): Approximation {
  const { codes } = prepare(problem).samples;
  const [results] = interpret(kernel, { x: codes }, 1, codes.length);
  const answers = new Map(
    Array.from(codes, (code, i) => [code, decode(kernel.spec.output, results?.[i] ?? Number.NaN)]),
  );
  const { operations, tableBits } = cost(kernel);
  const pieces = isPiecewise && "segments" in problem.size ? problem.size.segments : 0;
  return {
    problem,
    answer: (code) => answers.get(code) ?? Number.NaN,
    entries: pieces,
    operations,
    bytes: tableBits / 8,
    isStoredAsAsked: false,
    table: null,
  };
}

/** What is lost before anything is approximated: the other function itself, exact. */
function substituted({ method, fn }: { readonly method: string; readonly fn: string }): Candidate {
  return {
    method,
    drawsLots: false,
    *find({ problems }): Work<readonly Approximation[]> {
      yield { stage: method, done: 0, total: 1 };
      const other = parseFn(fn);
      return problems.map((problem) => ({
        problem,
        answer: (code) => other.evaluate(decode(problem.spec.input, code)),
        ...{ entries: 0, operations: 0, bytes: 0, isStoredAsAsked: false, table: null },
      }));
    },
  };
}
