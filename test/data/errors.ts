// What a reader says about bad input: runs it and gives back the LutraError, so that tests can look at code, message, place and note.
import { LutraError } from "../../packages/lutra/src/base/index.ts";

/** The LutraError that `run` ends in. @throws Error if it ends otherwise */
export async function failure(run: () => unknown): Promise<LutraError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
