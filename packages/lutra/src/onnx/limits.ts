// Named limits of the reader: a hostile file gives an error, never a hang or a crash. Each is far above what real exporters write.

/** Protobuf's own limit: messages of 2 GiB and more cannot be encoded. Larger models keep their tensors in external files. */
export const MAX_FILE_BYTES: number = 2 ** 31 - 1;
/** Messages inside messages. A subgraph costs three levels (graph, node, attribute). */
export const MAX_DEPTH = 100;
/** Messages of any kind in the file; each becomes an object of a few hundred bytes. */
export const MAX_MESSAGES: number = 2 ** 21;
/** Nodes in all graphs and functions together. */
export const MAX_NODES: number = 2 ** 18;
/** Numbers and strings in lists (attributes, float_data, int64_data, node inputs), together. raw_data is not limited. */
export const MAX_LIST_ITEMS: number = 2 ** 24;
/** Attributes of one node. */
export const MAX_ATTRIBUTES = 1024;
/** Axes of one tensor. */
export const MAX_RANK = 64;
/** Elements of a constant that is decoded into numbers. */
export const MAX_DECODED_ELEMENTS: number = 2 ** 26;
/** Operator set versions of the default domain: 7 brought today's broadcasting; 26 is the last that was looked at. */
export const FIRST_OPSET = 7;
export const LAST_OPSET = 26;
