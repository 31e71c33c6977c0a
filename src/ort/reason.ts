/** Messages of the runtime, and the reason as the end of a sentence. */
const REASONS: readonly (readonly [pattern: RegExp, reason: (...found: string[]) => string])[] = [
  [/No Op registered for (\S+) with domain_version of (\d+)/, (operator, version) => `it has no operator ${operator} in version ${version}`],
  [/Fatal error: (\S+?)\(-?\d+\) is not a registered function\/op/, (operator) => `it has no operator ${operator}`],
  [/Could not find an implementation for (\S+?)\((\d+)\)(?: node with name '([^']*)')?/, (operator, version, node) => `it has no implementation of ${operator} in version ${version}${node ? ` (node ${node})` : ''} for this backend and these types`],
  [/Type '([^']+)' of input parameter \(([^)]*)\) of operator \(([^)]*)\)/, (type, input, operator) => `the operator ${operator} does not take ${type}, which ${input} is`],
  [/Unexpected input data type\. Actual: \(?([^,)]+\)?)\)?\s*, expected: \(?([^,)]+\)?)/, (actual, expected) => `an input is ${actual} in place of ${expected}`],
  [/Got invalid dimensions for input: (\S+)/, (input) => `the input ${input} has another shape than the graph wants`],
  [/input '([^']+)' is missing in 'feeds'/, (input) => `the input ${input} is missing`],
  [/Non-zero status code returned while running (\S+) node\. Name:'([^']*)'/, (operator, node) => `the node ${node || 'without a name'} (${operator}) failed`],
  [/out of memory|failed to allocate|bad_alloc|Array buffer allocation failed/i, () => 'there is not enough memory'],
];

/**
 * Why ONNX Runtime failed. Its messages are written for its developers; the error keeps them as its `cause`.
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
