// package-lock.json as a fresh machine needs it: `npm ci` of npm 11 refuses a lockfile that leaves out an optional package of another
// platform, which npm does when the registry it asked (a mirror) has no such package.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../shared.ts";

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const locked: Readonly<Record<string, LockedPackage>> = JSON.parse(
  readFileSync(join(ROOT, "package-lock.json"), "utf8"),
).packages;

it("the lockfile names every optional package, also those of other platforms", () => {
  const missing = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in locked) && !(`${path}/node_modules/${name}` in locked),
    ),
  );
  expect(missing).toEqual([]);
});

it("the lockfile names no registry: an installation takes its own", () => {
  expect(Object.values(locked).filter(({ resolved, link }) => resolved !== undefined && !link)).toEqual([]);
});
