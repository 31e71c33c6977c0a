/** Names of one weight in a graph and in a checkpoint, which exporters change. */
import type { GraphProto, NodeProto } from '../../onnx/onnx_pb';
import { ownValue } from '../../util/ownValue';
import { pushTo } from './pushTo';

/** Parts that wrappers put before all names. */
const WRAPPERS: ReadonlySet<string> = new Set(['model', 'module', 'net', 'network', 'encoder', 'backbone', 'orig_mod']);
/** What Keras and TensorFlow call a part that PyTorch calls otherwise. */
const SYNONYMS: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};
/** Fewest parts of the shorter of two names that end alike: `weight` alone tells nothing, `linear.weight` does. */
const MIN_SUFFIX_PARTS = 2;
/** What PyTorch's exporter calls weights that it changed: `onnx::MatMul_874`. */
const ANONYMOUS = /^onnx::\w+_\d+$/;

/** Two places that hold one weight, as far as names tell: in the list of the graph's names, and of the checkpoint's. */
export type NamePair = readonly [graph: number, checkpoint: number];

/** Pairs of equal names; of several that are equal, the first on each side. An empty name has no other. */
export function equalNames(graph: readonly string[], checkpoint: readonly string[]): NamePair[] {
  const [ours, theirs] = [places(graph), places(checkpoint)];
  return Array.from(ours).flatMap(([name, [index = 0]]): NamePair[] => {
    const other = theirs.get(name)?.[0];
    return other === undefined ? [] : [[index, other]];
  });
}

/**
 * Pairs of names that exporters make of one: `/` and `_` in place of `.`, wrappers such as `module.` before it, Keras's
 * words for PyTorch's, or the beginning left out. Only where no other name could be meant.
 */
export function mappedNames(graph: readonly string[], checkpoint: readonly string[]): NamePair[] {
  const [ours, theirs] = [graph.map(keyOf), checkpoint.map(keyOf)];
  const equal = pairsOf(ours, places(theirs), places(ours));
  const [usedOurs, usedTheirs] = [new Set(equal.map(([index]) => index)), new Set(equal.map(([, index]) => index))];
  const [leftOurs, leftTheirs] = [ours.map(unless(usedOurs)), theirs.map(unless(usedTheirs))];
  const [ourEnds, theirEnds] = [ends(leftOurs), ends(leftTheirs)];
  const shorter = pairsOf(leftOurs, theirEnds, ourEnds);
  const longer = pairsOf(leftTheirs, ourEnds, theirEnds).map(([theirs, ours]): NamePair => [ours, theirs]);
  const paired = new Set(shorter.map(([index]) => index));
  const pairedTheirs = new Set(shorter.map(([, index]) => index));
  return [...equal, ...shorter, ...longer.filter(([one, other]) => !paired.has(one) && !pairedTheirs.has(other))];
}

/**
 * What anonymous weights are called by the path of the node that reads them: `/linear.0/MatMul` reads
 * `linear.0.weight`.
 *
 * @returns names by the anonymous ones
 */
export function namesByNode({ node }: GraphProto): Map<string, string> {
  const names = new Map<string, string>();
  for (const reader of node) {
    for (const [position, input] of reader.input.entries()) {
      const name = ANONYMOUS.test(input) ? nameByPath(reader, position) : null;
      if (name !== null) names.set(input, name);
    }
  }
  return names;
}

function nameByPath({ name, opType }: NodeProto, position: number): string | null {
  const path = name.split('/').filter(Boolean).slice(0, -1);
  // PyTorch writes `/layer1/layer1.0/conv1/Conv` for `layer1.0.conv1`: of a list, its name comes twice.
  const modules = path.filter((part, index) => !path[index + 1]?.startsWith(`${part}.`));
  const role = position === 2 || opType === 'Add' ? 'bias' : 'weight';
  return modules.length === 0 ? null : [...modules, role].join('.');
}

/** A name in one form, for comparison. */
function keyOf(name: string): string {
  const parts = name.split(/[./:]+/).filter(Boolean);
  while (parts.length > 1 && WRAPPERS.has(parts[0]!.replace(/^_+/, ''))) parts.shift();
  const last = parts.pop() ?? '';
  return [...parts, ownValue(SYNONYMS, last) ?? last].join('.').replaceAll('_', '.').replace(/^\.+|\.+$/g, '');
}

/** Where each key is; an empty key is nowhere. */
function places(keys: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) if (key !== '') pushTo(found, key, index);
  return found;
}

/** Where each end of a key is, the whole key among them. */
function ends(keys: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) {
    const parts = key.split('.');
    for (let start = 0; start + MIN_SUFFIX_PARTS <= parts.length; start++) {
      pushTo(found, parts.slice(start).join('.'), index);
    }
  }
  return found;
}

/** Each key with the one place that it has among `others`, where no other key has it too. */
function pairsOf(
  keys: readonly string[],
  others: ReadonlyMap<string, readonly number[]>,
  own: ReadonlyMap<string, readonly number[]>,
): NamePair[] {
  return keys.flatMap((key, index): NamePair[] => {
    const [other, ...more] = others.get(key) ?? [];
    return other === undefined || more.length > 0 || own.get(key)?.length !== 1 ? [] : [[index, other]];
  });
}

const unless =
  (used: ReadonlySet<number>) =>
  (key: string, index: number): string =>
    used.has(index) ? '' : key;
