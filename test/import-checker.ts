// Reads what a source file imports and which mathematics it uses, from its syntax tree, and compares both with a law
// that is plain data. Comments and strings therefore do not count, and type-only and dynamic imports do.
// The law of this project is in imports.test.ts.
import { dirname, join } from "node:path/posix";
import { parseSync } from "oxc-parser";

/** One place in a source file. */
interface Found {
  readonly text: string;
  readonly line: number;
}

type SyntaxNode = Readonly<Record<string, unknown>> & { readonly type: string; readonly start: number };

/** Calls `visit` for every node of the file's syntax tree, parents first. @throws Error if the file does not parse */
function walk(path: string, source: string, visit: (node: SyntaxNode) => void): void {
  const { program, errors } = parseSync(path, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const descend = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(descend);
    else if (isSyntaxNode(value)) {
      visit(value);
      Object.values(value).forEach(descend);
    }
  };
  descend(program);
}

function lineOf(source: string, node: SyntaxNode): number {
  return source.slice(0, node.start).split("\n").length;
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Every module a file names: import, export from, import(), import type, `import("x").T`. "?" where import() computes it. */
export function findImports(path: string, source: string): readonly Found[] {
  const found: Found[] = [];
  walk(path, source, (node) => {
    const imports = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression"];
    if (!imports.includes(node.type) && node.type !== "TSImportType") return;
    const specifier = node.source;
    if (!isSyntaxNode(specifier)) return; // export { name } of the file's own
    found.push({ text: typeof specifier.value === "string" ? specifier.value : "?", line: lineOf(source, node) });
  });
  return found;
}

/**
 * Uses of Math outside `allowed`, and powers that engines may round differently. The standard leaves most of Math and
 * `**` to the engine; what stays are powers of 2, exact for an integer exponent, and powers of bigints.
 */
export function findInexactMath(path: string, source: string, allowed: readonly string[]): readonly Found[] {
  const found: Found[] = [];
  const members = new Set<unknown>();
  const report = (text: string, node: SyntaxNode): unknown => found.push({ text, line: lineOf(source, node) });
  walk(path, source, (node) => {
    if (node.type === "MemberExpression" && isMath(node.object) && node.computed === false) {
      members.add(node.object);
      const name = isSyntaxNode(node.property) ? String(node.property.name) : "?";
      if (!allowed.includes(name)) report(`Math.${name}`, node);
    } else if (isMath(node) && !members.has(node)) {
      report("Math", node);
    } else if (node.type === "BinaryExpression" && node.operator === "**" && !isExactPower(node.left, node.right)) {
      report("**", node);
    } else if (node.type === "AssignmentExpression" && node.operator === "**=") {
      report("**=", node);
    }
  });
  return found;
}

function isMath(value: unknown): boolean {
  return isSyntaxNode(value) && value.type === "Identifier" && value.name === "Math";
}

function isExactPower(base: unknown, exponent: unknown): boolean {
  if (isLiteral(exponent, (value) => typeof value === "number" && !Number.isInteger(value))) return false;
  if (isLiteral(base, (value) => value === 2 || typeof value === "bigint")) return true;
  return isLiteral(exponent, (value) => typeof value === "bigint");
}

function isLiteral(value: unknown, test: (literal: unknown) => boolean): boolean {
  return isSyntaxNode(value) && value.type === "Literal" && test(value.value);
}

/** What one folder may import. */
export interface FolderLaw {
  /** Other folders below the same root, each through its index.ts only. */
  readonly folders: readonly string[];
  /** Packages and their entry points, word for word. */
  readonly packages: readonly string[];
  /** Whether `node:` modules may be imported. */
  readonly node: boolean;
}

/** By folder or single file below a root; "." is whatever no other entry names. */
export type RootLaw = Readonly<Record<string, FolderLaw>>;

/**
 * Compares the imports of one file with the law of its root.
 * @param path relative to the root, with "/"
 * @returns one sentence per violation
 */
export function checkImports(law: RootLaw, path: string, source: string): readonly string[] {
  const home = folderOf(law, path);
  const rules = law[home];
  if (rules === undefined) return [`${path}: the law does not name its folder`];
  return findImports(path, source).flatMap(({ text, line }) => {
    const problem = judge(law, rules, home, path, text);
    return problem === null ? [] : [`${path}:${line}: ${problem}`];
  });
}

function judge(law: RootLaw, rules: FolderLaw, home: string, path: string, specifier: string): string | null {
  if (specifier.startsWith("node:")) return rules.node ? null : `imports ${specifier}; no Node modules here`;
  if (!specifier.startsWith(".")) {
    return rules.packages.includes(specifier) ? null : `imports the package ${specifier}, which is not allowed here`;
  }
  const target = join(dirname(path), specifier);
  if (target.startsWith("..")) return `imports ${specifier}, outside its package`;
  const folder = folderOf(law, target);
  if (folder === home) return null;
  if (!rules.folders.includes(folder)) return `imports ${target}; ${home} may not import ${folder}`;
  return target === folder || target === `${folder}/index.ts` ? null : `imports ${target} past ${folder}/index.ts`;
}

/** The entry of the law that covers the path; a name of its own, which no law has, if there is none. */
function folderOf(law: RootLaw, path: string): string {
  if (law[path] !== undefined) return path;
  const containing = Object.keys(law).filter((folder) => path.startsWith(`${folder}/`));
  return containing[0] ?? (law["."] === undefined ? dirname(path) : ".");
}
