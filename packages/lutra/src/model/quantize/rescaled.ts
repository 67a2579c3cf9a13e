// Numbers in another format than they are held in.

import { rescaleCodes } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import type { Held, Lowering } from "./context.ts";

/** The same numbers in another format. */
export function rescaled({ builder }: Pick<Lowering, "builder">, held: Held, format: IntegerFormat): Held {
  if (JSON.stringify(held.format) === JSON.stringify(format)) return held;
  const shape = builder.shapeOf(held.tensor);
  const y = builder.codes(format, shape);
  builder.kernel(rescaleCodes({ input: held.format, output: format }), shape, { x: held.tensor }, [y.tensor]);
  return y;
}
