import { dtypeName } from '../onnx/types';

/** From 24, the runtime numbers element types differently than ONNX. */
const NEWER_TYPES: Partial<Record<string, string>> = { 24: 'uint2', 25: 'int2', 26: 'float8e8m0' };

/** Start of the reason if the file declares a shape that a value cannot have. */
export const CONTRADICTION = 'the declared shapes contradict each other';

/** Messages of the runtime, with the reason as the end of a sentence. */
const REASONS: readonly (readonly [pattern: RegExp, reason: (...found: string[]) => string])[] = [
  [/No Op registered for (\S+) with domain_version of (\d+)/, (operator, version) => `it has no operator ${operator} in version ${version}`],
  [/Fatal error: (\S+?)\(-?\d+\) is not a registered function\/op/, (operator) => `it has no operator ${operator}`],
  [/Could not find an implementation for (\S+?)\((\d+)\)(?: node with name '([^']*)')?/, (operator, version, node) => `it has no implementation of ${operator} in version ${version}${node ? ` (node ${node})` : ''} for this backend and these types`],
  [/Type '([^']+)' of input parameter \(([^)]*)\) of operator \(([^)]*)\)/, (type, input, operator) => `the operator ${operator} does not support ${type}, the type of ${input}`],
  [/Unexpected input data type\. Actual: \(?([^,)]+\)?)\)?\s*, expected: \(?([^,)]+\)?)/, (actual, expected) => `an input is ${actual} instead of ${expected}`],
  [/unsupported data type: (\d+)/, (type) => `it does not support the type ${NEWER_TYPES[type] ?? dtypeName(Number(type))}`],
  [/unsupported type: (\w+)/, (type) => `it does not support the type ${type}`],
  [/Failed to find kernel for (\S+?)\((\d+)\)/, (operator, version) => `it has no implementation of ${operator} in version ${version} for these types`],
  [/(?:Node \(([^)]*)\) Op \((\w+)\) )?\[ShapeInferenceError\] (.{1,200})/, (node, op, problem) => `${CONTRADICTION}${op ? ` at the node ${node || 'without a name'} (${op})` : ''} (${problem})`],
  [/Invalid rank for input: (\S+)\s+Got: (\d+) Expected: (\d+)/, (input, rank, expected) => `the input ${input} has rank ${rank}, but the graph expects rank ${expected}`],
  [/Got invalid dimensions for input: (\S+)[\s\S]*?index: (\d+) Got: (\d+) Expected: (\d+)/, (input, axis, size, expected) => `the shape of the input ${input} does not match the graph: ${size} along axis ${axis} instead of ${expected}`],
  [/Got invalid dimensions for input: (\S+)/, (input) => `the shape of the input ${input} does not match the graph`],
  [/input '([^']+)' is missing in 'feeds'/, (input) => `the input ${input} is missing`],
  [/Non-zero status code returned while running (\S+) node\. Name:'([^']*)'(?: Status Message: (.+))?/, (operator, node, status) => `the node ${node || 'without a name'} (${operator}) failed${statusText(status)}`],
  // An assertion of the runtime, and the sentence that explains it.
  [/ was false\. (.{1,200})/, (problem) => problem.replace(/\.?\s*$/, '')],
  [/out of memory|failed to allocate|bad_alloc|Array buffer allocation failed/i, () => 'there is not enough memory'],
];

/** The runtime's message for a failed node, without its source location and the failed condition. */
function statusText(status: string | undefined): string {
  const text = status?.replace(/^.* was false\. /, '').replace(/^\S+\.(?:h|cc|cpp):\d+ /, '').replace(/\.?\s*$/, '') ?? '';
  return text === '' ? '' : `: ${text.slice(0, 200)}`;
}

/**
 * The reason of an ONNX Runtime failure. The runtime's messages are written for its developers; the error keeps them
 * as its `cause`.
 *
 * @returns the end of a sentence; null for an unknown message
 */
export function reasonOf(message: string): string | null {
  for (const [pattern, reason] of REASONS) {
    const found = pattern.exec(message);
    if (found) return reason(...found.slice(1));
  }
  return null;
}
