// Models are never changed in place: a new message shares everything but the fields that differ.

import type { Message } from "@bufbuild/protobuf";

/** A message with some fields replaced: a shallow copy, unknown fields and absent fields included. */
export function changed<M extends Message>(message: M, fields: Partial<M>): M {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, fields);
}
