// A plan on disk: what `lutra compile` writes as plan.json, and a user may edit and give back.

import { type Json, type Plan, parsePlan } from "lutra";
import { readJson } from "./files.ts";
import { inFile } from "./model-file.ts";

/** @throws LutraError "io", "bad-data" or "unsupported" with the file and the place in it */
export async function readPlan(path: string): Promise<Plan> {
  const json = (await readJson(path)) as Json;
  return await inFile(path, () => parsePlan(json));
}
