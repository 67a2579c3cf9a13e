// Reads a Plan from untrusted JSON (a user may have edited it): every field's type is checked and the place of the first fault named.
// Whether a problem makes sense is for fit to say, whether the plan is about a model for `checkPlan`.

import { type Json, LutraError } from "../base/index.ts";
import type { Format, Histogram, Interval } from "../num/index.ts";
import type { Constraint, Norm, Problem, Reduction, Spec, Tail } from "../table/index.ts";
import type { Plan, PlannedSite, PlannedTable } from "./plan.ts";

const FORMAT = "lutra-plan";
const VERSION = 1;

/** Most sites, tables, histogram edges: so that a hostile file cannot exhaust memory further down. */
const MAX_ITEMS = 131_072;

const NORMS: readonly Norm[] = ["max", "relative", "ulp", "mse"];

/** What `parsePlan` reads; JSON once more. */
export function planFile(plan: Plan): { readonly format: string; readonly version: number } & Plan {
  return { format: FORMAT, version: VERSION, ...plan };
}

/**
 * A Plan from parsed JSON (see base fromJson).
 * @throws LutraError "bad-data" with the place, as in "tables.gelu-1.problem.size.segments"; "unsupported" for another version
 */
export function parsePlan(json: Json): Plan {
  const top = members(json, "");
  if (top.format !== FORMAT) {
    throw fault('not a plan: it has no "format": "lutra-plan"', "", "lutra compile writes plan.json into its folder");
  }
  if (top.version !== VERSION) {
    throw new LutraError("unsupported", `a plan of version ${shown(top.version)}`, {
      note: `this lutra reads version ${VERSION}`,
    });
  }
  only(top, "", ["format", "version", "tables", "sites"]);
  const tables = Object.entries(members(top.tables, "tables"));
  return {
    tables: Object.fromEntries(tables.map(([name, table]) => [name, plannedTable(table, `tables.${name}`)])),
    sites: list(top.sites, "sites", plannedSite),
  };
}

function plannedTable(json: Json | undefined, where: string): PlannedTable {
  const table = members(json, where);
  only(table, where, ["method", "parameters", "problem"]);
  const method = text(table.method, `${where}.method`);
  const asked = problem(table.problem, `${where}.problem`);
  if (table.parameters === undefined) return { method, problem: asked };
  return { method, parameters: parameters(table.parameters, `${where}.parameters`), problem: asked };
}

function parameters(json: Json, where: string): NonNullable<PlannedTable["parameters"]> {
  const given = Object.entries(members(json, where));
  const value = (item: Json, name: string): string | number => {
    return typeof item === "number" ? item : text(item, `${where}.${name}`);
  };
  return Object.fromEntries(given.map(([name, item]) => [name, value(item, name)]));
}

function plannedSite(json: Json, where: string): PlannedSite {
  const site = members(json, where);
  only(site, where, ["id", "kind", "tables"]);
  const tables = Object.entries(members(site.tables, `${where}.tables`));
  return {
    id: text(site.id, `${where}.id`),
    kind: text(site.kind, `${where}.kind`),
    tables: Object.fromEntries(tables.map(([hole, name]) => [hole, text(name, `${where}.tables.${hole}`)])),
  };
}

// problems ------------------------------------------------------------------------------------------------------------

const PROBLEM_FIELDS = [
  "spec",
  "size",
  "norm",
  "floor",
  "grid",
  "histogram",
  "coefficients",
  "tails",
  "reductions",
  "keep",
];

function problem(json: Json | undefined, where: string): Problem {
  const given = members(json, where);
  only(given, where, PROBLEM_FIELDS);
  const at = (name: string): string => `${where}.${name}`;
  const { floor, grid: points, histogram: seen, coefficients: stored, keep } = given;
  return {
    spec: spec(given.spec, at("spec")),
    size: size(given.size, at("size")),
    norm: choice(given.norm, at("norm"), NORMS),
    ...(floor === undefined ? {} : { floor: real(floor, at("floor")) }),
    ...(points === undefined ? {} : { grid: grid(points, at("grid")) }),
    ...(seen === undefined ? {} : { histogram: histogram(seen, at("histogram")) }),
    ...(stored === undefined ? {} : { coefficients: coefficients(stored, at("coefficients")) }),
    tails: tails(given.tails, at("tails")),
    reductions: list(given.reductions, at("reductions"), reduction),
    ...(keep === undefined ? {} : { keep: list(keep, at("keep"), constraint) }),
  };
}

function size(json: Json | undefined, where: string): Problem["size"] {
  const given = members(json, where);
  only(given, where, ["segments", "maxError"]);
  if ((given.segments === undefined) === (given.maxError === undefined)) {
    throw fault('needs either "segments" or "maxError"', where);
  }
  if (given.segments !== undefined) return { segments: real(given.segments, `${where}.segments`) };
  return { maxError: real(given.maxError, `${where}.maxError`) };
}

function spec(json: Json | undefined, where: string): Spec {
  const given = members(json, where);
  only(given, where, ["fn", "domain", "input", "output", "maxRow"]);
  return {
    fn: text(given.fn, `${where}.fn`),
    domain: interval(given.domain, `${where}.domain`),
    input: format(given.input, `${where}.input`),
    output: format(given.output, `${where}.output`),
    ...(given.maxRow === undefined ? {} : { maxRow: real(given.maxRow, `${where}.maxRow`) }),
  };
}

function interval(json: Json | undefined, where: string): Interval {
  const given = members(json, where);
  only(given, where, ["lo", "hi"]);
  return { lo: real(given.lo, `${where}.lo`), hi: real(given.hi, `${where}.hi`) };
}

function grid(json: Json, where: string): NonNullable<Problem["grid"]> {
  const given = members(json, where);
  only(given, where, ["lo", "hi", "step"]);
  const { lo, hi } = interval({ lo: given.lo ?? null, hi: given.hi ?? null }, where);
  return { lo, hi, step: real(given.step, `${where}.step`) };
}

function format(json: Json | undefined, where: string): Format {
  const given = members(json, where);
  const kind = choice(given.kind, `${where}.kind`, ["integer", "float"]);
  if (kind === "float") {
    only(given, where, ["kind", "name"]);
    return { kind, name: choice(given.name, `${where}.name`, ["binary32", "binary16", "bfloat16"]) };
  }
  only(given, where, ["kind", "signed", "bits", "scale", "zeroPoint"]);
  if (typeof given.signed !== "boolean") throw fault("must be true or false", `${where}.signed`);
  const [bits, scale, zeroPoint] = (["bits", "scale", "zeroPoint"] as const).map((name) => {
    return real(given[name], `${where}.${name}`);
  });
  return { kind, signed: given.signed, bits, scale, zeroPoint };
}

function histogram(json: Json, where: string): Histogram {
  const given = members(json, where);
  only(given, where, ["edges", "counts"]);
  return { edges: list(given.edges, `${where}.edges`, real), counts: list(given.counts, `${where}.counts`, real) };
}

function coefficients(json: Json, where: string): NonNullable<Problem["coefficients"]> {
  const given = members(json, where);
  only(given, where, ["slope", "intercept"]);
  return { slope: format(given.slope, `${where}.slope`), intercept: format(given.intercept, `${where}.intercept`) };
}

function tails(json: Json | undefined, where: string): readonly [Tail, Tail] {
  const [below, above, ...more] = list(json, where, tail);
  if (below === undefined || above === undefined || more.length > 0) throw fault("needs [below, above]", where);
  return [below, above];
}

function tail(json: Json, where: string): Tail {
  if (typeof json === "string") return choice(json, where, ["clamp", "extend"]);
  const line = members(json, where);
  only(line, where, ["slope", "intercept"]);
  return { slope: real(line.slope, `${where}.slope`), intercept: real(line.intercept, `${where}.intercept`) };
}

const SYMMETRIES = ["odd", "even", "reflect", "complement"] as const;

function reduction(json: Json, where: string): Reduction {
  const given = members(json, where);
  only(given, where, ["by", "step", "power", "perOctave", "factor"]);
  const by = choice(given.by, `${where}.by`, [...SYMMETRIES, "octave", "logarithm", "exponential"]);
  if (by === "logarithm") return { by, perOctave: real(given.perOctave, `${where}.perOctave`) };
  if (by === "exponential") return { by, factor: real(given.factor, `${where}.factor`) };
  if (by !== "octave") return { by };
  const step = choice(given.step, `${where}.step`, [1, 2]);
  return { by, step, power: choice(given.power, `${where}.power`, [-1, 1]) };
}

const CONSTRAINTS = ["zero", "symmetric", "power-of-two-breakpoints", "continuous", "monotone"] as const;

function constraint(json: Json, where: string): Constraint {
  if (typeof json === "string") return choice(json, where, CONSTRAINTS);
  const given = members(json, where);
  only(given, where, ["breakpoints"]);
  return { breakpoints: list(given.breakpoints, `${where}.breakpoints`, real) };
}

// JSON values ---------------------------------------------------------------------------------------------------------

type Members = { readonly [name: string]: Json };

function members(json: Json | undefined, where: string): Members {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Members;
  throw fault(`must be an object, got ${shown(json)}`, where);
}

function only(given: Members, where: string, allowed: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw fault(`unknown field "${unknown}"`, where, `fields: ${allowed.join(", ")}`);
}

function list<T>(json: Json | undefined, where: string, read: (item: Json, where: string) => T): readonly T[] {
  if (!Array.isArray(json) || json.length > MAX_ITEMS) {
    throw fault(`must be a list of at most ${MAX_ITEMS} items, got ${shown(json)}`, where);
  }
  return json.map((item, i) => read(item, `${where}[${i}]`));
}

function text(json: Json | undefined, where: string): string {
  if (typeof json === "string" && json !== "") return json;
  throw fault(`must be a text that is not empty, got ${shown(json)}`, where);
}

/** Infinities are numbers, NaN has no JSON form. */
function real(json: Json | undefined, where: string): number {
  if (typeof json === "number") return json;
  throw fault(`must be a number, got ${shown(json)}`, where);
}

function choice<const T extends string | number>(json: Json | undefined, where: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === json);
  if (found !== undefined) return found;
  throw fault(`must be one of ${allowed.join(", ")}, got ${shown(json)}`, where);
}

/** One short line. */
function shown(json: Json | undefined): string {
  const line = json === undefined ? "nothing" : JSON.stringify(json);
  return line.length <= 60 ? line : `${line.slice(0, 57)}...`;
}

function fault(message: string, where: string, note?: string): LutraError {
  return new LutraError("bad-data", message, {
    ...(where === "" ? {} : { where }),
    ...(note === undefined ? {} : { note }),
  });
}
