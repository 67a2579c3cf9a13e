// The import law as data, and the test that every source file keeps it. What may import what is decided here and
// explained in ARCHITECTURE.md; the second law keeps mathematics whose bits depend on the engine out of the library.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkImports, type FolderLaw, findImports, findInexactMath, type RootLaw } from "./import-checker.ts";
import { ROOT } from "./shared.ts";

const FOUNDATION = ["base", "num"];

/** A folder of the library: base and num besides the named ones, no Node modules. */
function folder(folders: readonly string[], packages: readonly string[] = []): FolderLaw {
  return { folders: [...FOUNDATION, ...folders], packages, node: false };
}

const FOLDERS: RootLaw = {
  base: { folders: [], packages: [], node: false },
  num: { folders: ["base"], packages: [], node: false },
  fn: folder([]),
  table: folder([]),
  fit: folder(["fn", "table"]),
  kernel: folder(["table"]),
  layer: folder(["table", "kernel"]),
  certify: folder(["fn", "table", "kernel"]),
  "target/onnx": folder(["table", "kernel", "onnx"]),
  "target/wasm": folder(["table", "kernel", "program"]),
  program: folder(["table", "kernel"]),
  run: folder(["table", "kernel", "layer", "program", "target/wasm"]),
  "target/source": folder(["table", "kernel"]),
  "target/loader": folder(["kernel", "target/source", "target/wasm"]),
  "target/c": folder(["kernel", "target/source"]),
  "target/typescript": folder(["kernel", "target/source"]),
  onnx: folder(["fn"], ["onnx-buf", "@bufbuild/protobuf"]),
  data: folder([], ["papaparse", "fflate"]),
  model: folder(["fn", "table", "kernel", "layer", "program", "onnx", "data"]),
  adapt: folder(["fit", "table", "kernel", "layer", "run"], ["onnxruntime-common", "@tensorflow/tfjs-core"]),
  compare: folder(["fn", "fit", "table", "kernel", "layer"]),
};

const LIBRARY: RootLaw = {
  ...FOLDERS,
  "prove.ts": folder(Object.keys(FOLDERS)),
  "workbench.ts": folder([...Object.keys(FOLDERS), "prove.ts"]),
  "compile.ts": folder([...Object.keys(FOLDERS), "prove.ts", "workbench.ts"]),
  "compare-model.ts": folder([...Object.keys(FOLDERS), "prove.ts", "workbench.ts"]),
  "refit.ts": folder([...Object.keys(FOLDERS), "prove.ts", "workbench.ts", "compile.ts"]),
  "compile-program.ts": folder([...Object.keys(FOLDERS), "workbench.ts"]),
  "program-file.ts": folder(["program", "target/wasm"], ["fflate"]),
  "onnx.ts": folder(["onnx"]),
  "question.ts": folder(["fn", "table", "model"]),
  "index.ts": folder([
    ...Object.keys(FOLDERS),
    ...["prove.ts", "workbench.ts", "compile.ts", "compile-program.ts", "compare-model.ts", "refit.ts", "onnx.ts"],
    ...["program-file.ts", "question.ts"],
  ]),
};

/** A part outside the library: any file of its own, and packages by their public entry points. */
function part(packages: readonly string[], node: boolean): RootLaw {
  return { ".": { folders: [], packages, node } };
}

const LAWS: Readonly<Record<string, RootLaw>> = {
  "packages/lutra/src": LIBRARY,
  "packages/figures/src": part(["lutra"], false),
  "packages/cli/src": part(
    [
      ...["lutra", "lutra/base", "lutra/onnx", "lutra/onnxruntime", "lutra/run", "lutra/tokenizers", "lutra-figures"],
      ...["commander", "onnxruntime-node", "@huggingface/tokenizers"],
    ],
    true,
  ),
  bench: part(
    [
      ...["lutra", "lutra/onnxruntime", "lutra/run", "lutra/tfjs", "onnxruntime-node", "onnxruntime-web", "onnx-buf"],
      ...["@bufbuild/protobuf", "@tensorflow/tfjs-core", "playwright-core"],
      ...["@tensorflow/tfjs-backend-cpu", "@tensorflow/tfjs-backend-wasm"],
    ],
    true,
  ),
  models: {
    ".": {
      folders: ["train/src/array.ts"],
      packages: [
        ...["lutra", "lutra/onnxruntime", "lutra-figures"],
        ...["onnx-buf", "@bufbuild/protobuf", "onnxruntime-node"],
      ],
      node: true,
    },
    "train/src/array.ts": { folders: [], packages: ["@jax-js/jax"], node: false },
  },
  scripts: part(["gmp-wasm", "lutra"], true),
};

/** Math that every engine computes to the same bits: exact operations, the correctly rounded root, and constants. */
const SAFE_MATH = [
  ...["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "round", "sign", "sqrt", "trunc"],
  ...["E", "LN10", "LN2", "LOG10E", "LOG2E", "PI", "SQRT1_2", "SQRT2"],
];

function sourceFiles(root: string): { readonly path: string; readonly source: string }[] {
  const names = readdirSync(join(ROOT, root), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => ({ path: name.replaceAll("\\", "/"), source: readFileSync(join(ROOT, root, name), "utf8") }));
}

describe("the import law", () => {
  for (const [root, law] of Object.entries(LAWS)) {
    it(`is kept by every file of ${root}`, () => {
      const files = sourceFiles(root);
      expect(files.length).toBeGreaterThan(0);
      expect(files.flatMap(({ path, source }) => checkImports(law, path, source))).toEqual([]);
    });
  }

  it("has no cycle between folders", () => {
    const reaches = (from: string, seen: readonly string[]): boolean =>
      (LIBRARY[from]?.folders ?? []).some((to) => seen.includes(to) || reaches(to, [...seen, to]));
    expect(Object.keys(LIBRARY).filter((name) => reaches(name, [name]))).toEqual([]);
  });

  it("keeps fit and certify apart, also by way of others", () => {
    const reachable = (from: string): readonly string[] =>
      (LIBRARY[from]?.folders ?? []).flatMap((to) => [to, ...reachable(to)]);
    expect(reachable("fit")).not.toContain("certify");
    expect(reachable("certify")).not.toContain("fit");
  });

  it("lets index.ts of the library only re-export", () => {
    for (const { path, source } of sourceFiles("packages/lutra/src").filter(({ path }) => path === "index.ts")) {
      const statements = source.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, "").split(";");
      const others = statements.filter((text) => text.trim() !== "" && !/^\s*export\b[^=]*\bfrom\b/.test(text));
      expect(others, path).toEqual([]);
    }
  });
});

describe("the library's mathematics", () => {
  it("gives the same bits in every engine", () => {
    const found = sourceFiles("packages/lutra/src").flatMap(({ path, source }) =>
      findInexactMath(path, source, SAFE_MATH).map(({ text, line }) => `${path}:${line}: ${text}`),
    );
    expect(found).toEqual([]);
  });
});

describe("the import checker", () => {
  const check = (path: string, source: string): readonly string[] => checkImports(LIBRARY, path, source);

  it("finds every way to name a module, and none in comments and strings", () => {
    const source = [
      'import a from "one"; import type { B } from "two"; export * from "three";',
      'export { c } from "four"; export type { D } from "five"; import "six";',
      'const later = import("seven"); type E = import("eight").E; import(computed);',
      '// import x from "nine"',
      "const text = 'import y from \"ten\"'; export { a };",
    ].join("\n");
    const names = findImports("sample.ts", source).map(({ text }) => text);
    expect(names.sort()).toEqual(["?", "eight", "five", "four", "one", "seven", "six", "three", "two"]);
  });

  it.each([
    ["a folder the law does not allow", "fit/optimal.ts", 'import { certify } from "../certify/index.ts";'],
    ["a type-only import of such a folder", "certify/exhaustive.ts", 'import type { P } from "../fit/index.ts";'],
    ["a file past the other folder's index.ts", "fit/optimal.ts", 'import { gelu } from "../fn/gelu.ts";'],
    ["a deeper folder going past index.ts", "target/onnx/emit.ts", 'import { node } from "../../onnx/build.ts";'],
    ["a Node module", "data/npy.ts", 'import { readFileSync } from "node:fs";'],
    ["a package", "num/format.ts", 'import { unzip } from "fflate";'],
    ["an entry point that is not public", "onnx/read.ts", 'import { x } from "onnx-buf/dist/onnx_pb.js";'],
    ["a file outside the package", "base/json.ts", 'import { x } from "../../../cli/src/main.ts";'],
    ["a module whose name is computed", "adapt/onnxruntime.ts", "const ort = await import(name);"],
    ["anything from a folder without a law", "extra/new.ts", 'import { x } from "../num/index.ts";'],
  ])("refuses %s", (_what, path, source) => {
    expect(check(path, source)).toHaveLength(1);
  });

  it("names file, line and reason", () => {
    expect(check("fit/a.ts", '\nimport "../certify/index.ts";')).toEqual([
      "fit/a.ts:2: imports certify/index.ts; fit may not import certify",
    ]);
  });

  it("accepts what the law allows", () => {
    expect(check("fit/optimal.ts", 'import { a } from "../fn/index.ts"; import { b } from "./grid.ts";')).toEqual([]);
    expect(check("data/zip.ts", 'import { unzipSync } from "fflate";')).toEqual([]);
    expect(check("index.ts", 'export * from "./compile.ts"; export * from "./target/onnx/index.ts";')).toEqual([]);
  });

  it("refuses mathematics that engines round differently", () => {
    const source =
      "Math.exp(x); x ** 2; 2 ** 0.5; x **= 3; const { sin } = Math; Math['log'](x); y = 10 ** n; /* Math.tanh */";
    const found = findInexactMath("sample.ts", source, SAFE_MATH).map(({ text }) => text);
    expect(found).toEqual(["Math.exp", "**", "**", "**=", "Math", "Math", "**"]);
  });

  it("accepts exact mathematics", () => {
    const source = "Math.sqrt(x); Math.PI; 2 ** -bits; 2n ** BigInt(n); big ** 3n; 2 ** 32";
    expect(findInexactMath("sample.ts", source, SAFE_MATH)).toEqual([]);
  });
});
