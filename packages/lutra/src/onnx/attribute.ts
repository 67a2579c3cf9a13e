// Reading attributes of nodes: the few kinds that finding layers needs, with the operator's default where one is absent.

import { type AttributeProto, AttributeProto_AttributeType, type NodeProto } from "onnx-buf";
import { decodeTensor } from "./tensor.ts";

function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

/** A FLOAT or INT attribute as a number. */
export function numberAttribute<D extends number | null>(node: NodeProto, name: string, otherwise: D): number | D {
  const attribute = attributeOf(node, name);
  if (attribute === undefined || attribute.refAttrName !== "") return otherwise;
  return attribute.type === AttributeProto_AttributeType.FLOAT ? attribute.f : Number(attribute.i);
}

/** An INTS attribute; null if absent. */
export function integersAttribute(node: NodeProto, name: string): readonly number[] | null {
  const attribute = attributeOf(node, name);
  return attribute === undefined ? null : attribute.ints.map(Number);
}

export function textAttribute(node: NodeProto, name: string, otherwise: string): string {
  const attribute = attributeOf(node, name);
  return attribute === undefined ? otherwise : new TextDecoder().decode(attribute.s);
}

/** A STRINGS attribute; null if absent. */
export function textsAttribute(node: NodeProto, name: string): readonly string[] | null {
  const attribute = attributeOf(node, name);
  return attribute === undefined ? null : attribute.strings.map((text) => new TextDecoder().decode(text));
}

/** The elements of a TENSOR attribute of numbers; null if absent. */
export function numbersAttribute(node: NodeProto, name: string): readonly number[] | null {
  const stored = attributeOf(node, name)?.t;
  const decoded = stored === undefined ? null : decodeTensor(stored, new Map());
  return decoded === null ? null : Array.from(decoded.data as ArrayLike<number | bigint>, Number);
}
