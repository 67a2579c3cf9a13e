// The plain shapes of this folder: a model that was read, the sites found in it, and what replaces them. No behaviour here.

import type { GraphProto, ModelProto, NodeProto } from "onnx-buf";
import type { IntegerFormat } from "../num/index.ts";

/** A model that was read and checked. Nothing in it is ever changed: rewrite makes a new one and shares what stays. */
export interface Model {
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  /** Version of the default operator set. */
  readonly opset: number;
  /** The external data files by the location the tensors name; empty if the reader was not given any. */
  readonly external: ReadonlyMap<string, ExternalFile>;
}

/** A file beside a model. Only what is asked for is read: it may be larger than memory. */
export interface ExternalFile {
  /** In bytes. */
  readonly size: number;
  /** A part that lies inside the file. It may throw. */
  read(offset: number, length: number): Uint8Array;
}

/** One non-linear layer of a graph, in whatever form the exporter gave it. Plain JSON. */
export interface Site {
  /** Stable and unique: the name of the value the site computes, after the scope's steps where two scopes use one name. */
  readonly id: string;
  /** As the functions are named: "gelu", "exp", ..., or "softmax", "log-softmax", "layer-norm", "rms-norm". */
  readonly kind: string;
  readonly form: "operator" | "decomposed";
  /** The nodes it replaces, in graph order, each named by its first output: those are unique, node names need not be. */
  readonly nodes: readonly string[];
  /** Names of the values it reads: the data, then gamma, then beta where there are any. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** Numbers the layer needs: { epsilon } of a norm. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Of a function from codes to codes, as in a quantized graph; absent where data are binary32. */
  readonly formats?: { readonly input: IntegerFormat; readonly output: IntegerFormat };
  /** The steps from the main graph to the body or function it is in (bodies.ts); absent in the main graph. */
  readonly scope?: readonly string[];
  /** The axes of a function of a row, negative and ascending: [-1] is the last. null for an elementwise function. */
  readonly axes: readonly number[] | null;
}

/** A function over ONNX nodes that computes one or many sites. Its node names need only be unique inside it. */
export interface FunctionDefinition {
  /** Operator name of the call in domain "lutra". Definitions of the same name must be the same. */
  readonly name: string;
  /** In the order of the site's inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In topological order; operators of the model's own operator sets. */
  readonly nodes: readonly NodeProto[];
}

/** What to put in the place of a site. */
export interface Replacement {
  readonly site: Site;
  readonly function: FunctionDefinition;
}
