import { graphOf } from '../../onnx/model';
import type { GraphProto, ModelProto, NodeProto } from '../../onnx/onnx_pb';
import { ownValue } from '../../util/values';
import type { OnStep } from '../stages';
import { sizeOf } from '../tensor';
import { linkRecurrent } from './recurrent';
import { findScaled, hasSameValues, type Link, Links, relate, type Relation } from './relations';
import { type AuditTensor, canBeSame, isConstant, isSingle, pushTo, roundingBetween } from './tensors';

/** Prefixes that wrappers add to all names. */
const WRAPPERS: ReadonlySet<string> = new Set(['model', 'module', 'net', 'network', 'encoder', 'backbone', 'orig_mod']);
/** Keras and TensorFlow names of parts, with PyTorch's names. */
const SYNONYMS: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};
/**
 * Minimum number of parts in the shorter of two names with the same ending: `weight` alone is ambiguous, `linear.weight` is
 * not.
 */
const MIN_SUFFIX_PARTS = 2;
/** Names that PyTorch's exporter writes for weights that it changed: `onnx::MatMul_874`. */
const ANONYMOUS = /^onnx::\w+_\d+$/;

/** Two indices that hold one weight according to the names: in the graph's names and in the checkpoint's names. */
type NamePair = readonly [graph: number, checkpoint: number];

/** Pairs equal names. If several are equal, the first on each side is paired. An empty name matches no other. */
export function equalNames(graph: readonly string[], checkpoint: readonly string[]): NamePair[] {
  const [ours, theirs] = [places(graph), places(checkpoint)];
  return Array.from(ours).flatMap(([name, [index = 0]]): NamePair[] => {
    const other = theirs.get(name)?.[0];
    return other === undefined ? [] : [[index, other]];
  });
}

/**
 * Pairs names that exporters derive from each other: `/` and `_` in place of `.`, wrapper prefixes such as `module.`, Keras
 * names for PyTorch names, or a missing prefix. Pairs only unambiguous names.
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
 * Derives names of anonymous weights from the path of the node that reads them: `/linear.0/MatMul` reads `linear.0.weight`.
 *
 * @returns the derived name for each anonymous name
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
  // PyTorch writes `/layer1/layer1.0/conv1/Conv` for `layer1.0.conv1`: the name of a list occurs twice.
  const modules = path.filter((part, index) => !path[index + 1]?.startsWith(`${part}.`));
  const role = position === 2 || opType === 'Add' ? 'bias' : 'weight';
  return modules.length === 0 ? null : [...modules, role].join('.');
}

/** Normalizes a name for comparison. */
function keyOf(name: string): string {
  const parts = name.split(/[./:]+/).filter(Boolean);
  while (parts.length > 1 && WRAPPERS.has(parts[0]!.replace(/^_+/, ''))) parts.shift();
  const last = parts.pop() ?? '';
  return [...parts, ownValue(SYNONYMS, last) ?? last].join('.').replaceAll('_', '.').replace(/^\.+|\.+$/g, '');
}

/** Indices of each key; empty keys are left out. */
function places(keys: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) if (key !== '') pushTo(found, key, index);
  return found;
}

/** Indices of each ending of a key, including the whole key. */
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

/** Pairs each key with its only index in `others`, if no other key has that index. */
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

/** Links between the weights of a graph and of a checkpoint. */
interface Matched {
  readonly links: readonly Link[];
  /** Parts of recurrent weights that the checkpoint lacks, by index of the graph's tensor. */
  readonly missing: ReadonlyMap<number, readonly string[]>;
  /**
   * Maps the index of an unlinked graph weight to the index of an unlinked checkpoint weight whose rows are multiples of
   * its rows.
   */
  readonly scaled: ReadonlyMap<number, number>;
}

/** Tensors with fewer values are equal by chance. */
const MIN_VALUES = 4;

/**
 * Links the weights of a graph to those of a checkpoint. The steps run in this order, each on the weights that remain:
 *
 * 1. recurrent weights, by direction and gate, because one graph tensor holds several checkpoint tensors
 * 2. equal names, whatever the values
 * 3. names that exporters derive from each other, if the values are equal. If most such pairs have equal values, the names
 * are reliable and also pair different values; this finds a weight that replaced another
 * 4. equal bytes; if there are several candidates, the one whose name has the longest common ending
 * 5. equal values in other tensors: rounded, with permuted axes or reordered rows
 * 6. names as in 3, whatever the values; for anonymous weights, the path of the node that reads them
 * 7. equal bytes as a linked weight, or in the graph the same values with permuted axes: a weight that the model uses twice
 * 8. equal bytes if all values are equal, which is weak evidence but the best available
 *
 * @throws errors of `onStep`
 */
export async function matchWeights(
  model: ModelProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  onStep: OnStep,
): Promise<Matched> {
  const matcher = new Matcher(graph, checkpoint);
  const phases: [string, () => void][] = [
    ['matching recurrent weights', () => { matcher.linkRecurrent(graphOf(model)); }],
    ['matching names', () => { matcher.linkNames(); }],
    ['matching changed names', () => { matcher.linkChangedNames(); }],
    ['matching bytes', () => { matcher.linkBytes(isTelling); }],
    ['matching values', () => { matcher.linkValues(); }],
    ['looking for folded batch norms', () => { matcher.findScaled(); }],
    ['matching by node', () => { matcher.linkRemainingNames(graphOf(model)); }],
    ['matching weights that are used twice', () => { matcher.linkTied(); }],
    ['matching single values', () => { matcher.linkBytes((tensor) => !isTelling(tensor)); }],
  ];
  for (const [index, [step, run]] of phases.entries()) {
    await onStep(step, index, phases.length);
    run();
  }
  const { links, missing, scaled } = matcher;
  return { links: links.all, missing, scaled };
}

/** True if the values are numerous and varied enough to distinguish the tensor from others. */
const isTelling = ({ statistics }: AuditTensor): boolean =>
  statistics === null || (statistics.numValues >= MIN_VALUES && !isConstant(statistics));

class Matcher {
  readonly links = new Links();
  missing: Matched['missing'] = new Map();
  scaled: Matched['scaled'] = new Map();
  readonly #graph: readonly AuditTensor[];
  readonly #checkpoint: readonly AuditTensor[];

  constructor(graph: readonly AuditTensor[], checkpoint: readonly AuditTensor[]) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
  }

  linkRecurrent(graph: GraphProto): void {
    const { links, missing } = linkRecurrent(graph, this.#graph, this.#checkpoint);
    this.links.add(...links);
    this.missing = missing;
  }

  linkNames(): void {
    for (const pair of equalNames(...this.#openNames())) this.#link(pair, 'name');
  }

  /** @param isSelected selects tensors of the graph */
  linkBytes(isSelected: (tensor: AuditTensor) => boolean): void {
    const byHash = placesBy(this.#checkpoint, this.#openCheckpoint(), ({ sha256 }) => sha256);
    for (const index of this.#openGraph().filter((one) => isSelected(this.#graph[one]!))) {
      const { name, sha256 } = this.#graph[index]!;
      const open = (byHash.get(sha256) ?? []).filter((other) => !this.links.hasCheckpoint(other));
      const [first, ...others] = open;
      if (first === undefined) continue;
      const alike = (other: number): number => commonEnd(name, this.#checkpoint[other]!.name);
      this.#link([index, others.reduce((best, other) => (alike(other) > alike(best) ? other : best), first)], 'bytes');
    }
  }

  linkChangedNames(): void {
    const pairs = mappedNames(...this.#openNames()).map((pair) => ({ pair, relation: this.#relate(pair) }));
    const same = pairs.filter(({ relation }) => hasSameValues(relation));
    const trusted = same.length > pairs.length / 2 ? pairs : same;
    for (const { pair, relation } of trusted) this.#link(pair, 'name', relation);
  }

  linkValues(): void {
    const open = placesBy(this.#checkpoint, this.#openCheckpoint(), ({ shape }) => sizeOf(shape));
    for (const index of this.#openGraph()) {
      const tensor = this.#graph[index]!;
      if (!isTelling(tensor)) continue;
      for (const other of open.get(sizeOf(tensor.shape)) ?? []) {
        if (this.links.hasCheckpoint(other) || !isCandidate(tensor, this.#checkpoint[other]!)) continue;
        const relation = this.#relate([index, other]);
        if (!hasSameValues(relation)) continue;
        this.#link([index, other], howOf(relation), relation);
        break;
      }
    }
  }

  linkTied(): void {
    const [ours, theirs] = [placesByHash(this.#graph), placesByHash(this.#checkpoint)];
    for (const index of this.#openGraph().filter((one) => isTelling(this.#graph[one]!))) {
      const other = theirs.get(this.#graph[index]!.sha256);
      if (other !== undefined) this.#link([index, other], 'bytes');
    }
    // For example tied weights: an embedding that the last layer uses transposed.
    const bySize = placesBy(this.#checkpoint, [...this.#checkpoint.keys()], ({ shape }) => sizeOf(shape));
    for (const index of this.#openGraph().filter((one) => isTelling(this.#graph[one]!) && !this.scaled.has(one))) {
      const tensor = this.#graph[index]!;
      const related = (bySize.get(sizeOf(tensor.shape)) ?? [])
        .filter((other) => isCandidate(tensor, this.#checkpoint[other]!))
        .map((other) => ({ other, relation: this.#relate([index, other]) }));
      const found = related.find(({ relation }) => relation.kind === 'permuted');
      if (found) this.#link([index, found.other], 'permuted', found.relation);
    }
    for (const other of this.#openCheckpoint().filter((one) => isTelling(this.#checkpoint[one]!))) {
      const index = ours.get(this.#checkpoint[other]!.sha256);
      if (index !== undefined) this.#link([index, other], 'bytes');
    }
  }

  findScaled(): void {
    this.scaled = findScaled(this.#graph, this.#openGraph(), this.#checkpoint, this.#openCheckpoint());
  }

  linkRemainingNames(graph: GraphProto): void {
    const byNode = namesByNode(graph);
    const [ours, theirs] = this.#openNames();
    const names = ours.map((name, index) => (this.scaled.has(index) ? '' : (byNode.get(name) ?? name)));
    for (const pair of mappedNames(names, theirs)) this.#link(pair, 'name');
  }

  #link(pair: NamePair, how: Link['how'], relation: Relation = this.#relate(pair)): void {
    this.links.add({ graph: pair[0], checkpoint: pair[1], how, relation, part: null, note: null, warning: null });
  }

  #relate([index, other]: NamePair): Relation {
    return relate(this.#graph[index]!, this.#checkpoint[other]!);
  }

  /** Names on both sides, empty if the tensor is linked. */
  #openNames(): [string[], string[]] {
    return [
      this.#graph.map(({ name }, index) => (this.links.hasGraph(index) ? '' : name)),
      this.#checkpoint.map(({ name }, index) => (this.links.hasCheckpoint(index) ? '' : name)),
    ];
  }

  /** Indices without a link; single values are only linked by name. */
  #openGraph(): number[] {
    return [...this.#graph.keys()].filter((index) => !this.links.hasGraph(index) && !isSingle(this.#graph[index]!));
  }

  #openCheckpoint(): number[] {
    return [...this.#checkpoint.keys()].filter(
      (index) => !this.links.hasCheckpoint(index) && !isSingle(this.#checkpoint[index]!),
    );
  }
}

/** Indices of tensors by key. */
function placesBy<Key>(
  tensors: readonly AuditTensor[],
  places: readonly number[],
  keyOf: (tensor: AuditTensor) => Key,
): Map<Key, number[]> {
  const found = new Map<Key, number[]>();
  for (const place of places) pushTo(found, keyOf(tensors[place]!), place);
  return found;
}

/** True if the sums allow two tensors to have the same values. */
const isCandidate = (one: AuditTensor, other: AuditTensor): boolean =>
  one.statistics !== null &&
  other.statistics !== null &&
  canBeSame(one.statistics, other.statistics, roundingBetween(one, other));

const howOf = ({ kind }: Relation): Link['how'] => (kind === 'permuted' || kind === 'reordered' ? kind : 'bytes');

const placesByHash = (tensors: readonly AuditTensor[]): Map<string, number> =>
  new Map(tensors.map(({ sha256 }, index) => [sha256, index]));

/** Length of the common ending of two names, in characters. */
function commonEnd(one: string, other: string): number {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one.at(-1 - length) === other.at(-1 - length)) length++;
  return length;
}
