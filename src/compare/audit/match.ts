/** Names of one weight in a graph and in a checkpoint, which exporters change. */
import { graphOf } from '../../onnx/model';
import type { GraphProto, ModelProto, NodeProto } from '../../onnx/onnx_pb';
import { ownValue } from '../../util/values';
import type { OnStep } from '../stages';
import { sizeOf } from '../tensor';
import { linkRecurrent } from './recurrent';
import { findScaled, hasSameValues, type Link, Links, relate, type Relation } from './relations';
import { type AuditTensor, canBeSame, isConstant, isSingle, pushTo, roundingBetween } from './tensors';

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

/** Finds for each weight of a graph the one of a checkpoint that it is. */

/** What of a graph is in a checkpoint. */
export interface Matched {
  readonly links: readonly Link[];
  /** Parts of weights of recurrent nodes that are not in the checkpoint, by the place of the graph's tensor. */
  readonly missing: ReadonlyMap<number, readonly string[]>;
  /**
   * By the place of a weight of the graph that has no link, the place of one without a link in the checkpoint that each
   * of its rows is a multiple of.
   */
  readonly scaled: ReadonlyMap<number, number>;
}

/** Of fewer values, tensors are the same by chance. */
const MIN_VALUES = 4;

/**
 * Links weights in this order, each with what is left from those before:
 *
 * 1. those of recurrent nodes by direction and gate, because one tensor of a graph holds several of a checkpoint
 * 2. equal names, whatever the values
 * 3. names that exporters make of one another, where the values are the same; whatever the values where most such
 *    pairs have the same, for then the names are to be trusted and a weight in another's place is found
 * 4. the same bytes; of several that have them, the one whose name ends most alike
 * 5. the same values in other tensors: rounded, along other axes or with rows in another order
 * 6. names as in 3, whatever the values; of anonymous weights by the path of the node that reads them
 * 7. the same bytes as a weight that is linked already, or in the graph the same values along other axes: one that the model uses
 *    twice
 * 8. the same bytes where all values are one, which tells little but is the best there is
 *
 * @throws what `onStep` throws
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

/** Whether a tensor's values are many and various enough to be told from another's. */
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

  /** @param isMeant whether a tensor of the graph is looked for */
  linkBytes(isMeant: (tensor: AuditTensor) => boolean): void {
    const byHash = placesBy(this.#checkpoint, this.#openCheckpoint(), ({ sha256 }) => sha256);
    for (const index of this.#openGraph().filter((one) => isMeant(this.#graph[one]!))) {
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
    // For example, tied weights: an embedding that the last layer uses transposed.
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

  /** Names on both sides, empty where there is a link. */
  #openNames(): [string[], string[]] {
    return [
      this.#graph.map(({ name }, index) => (this.links.hasGraph(index) ? '' : name)),
      this.#checkpoint.map(({ name }, index) => (this.links.hasCheckpoint(index) ? '' : name)),
    ];
  }

  /** Places without a link; a single value is only ever linked by name. */
  #openGraph(): number[] {
    return [...this.#graph.keys()].filter((index) => !this.links.hasGraph(index) && !isSingle(this.#graph[index]!));
  }

  #openCheckpoint(): number[] {
    return [...this.#checkpoint.keys()].filter(
      (index) => !this.links.hasCheckpoint(index) && !isSingle(this.#checkpoint[index]!),
    );
  }
}

/** Places of tensors by something that they have. */
function placesBy<Key>(
  tensors: readonly AuditTensor[],
  places: readonly number[],
  keyOf: (tensor: AuditTensor) => Key,
): Map<Key, number[]> {
  const found = new Map<Key, number[]>();
  for (const place of places) pushTo(found, keyOf(tensors[place]!), place);
  return found;
}

/** Whether two tensors can have the same values, as far as sums tell. */
const isCandidate = (one: AuditTensor, other: AuditTensor): boolean =>
  one.statistics !== null &&
  other.statistics !== null &&
  canBeSame(one.statistics, other.statistics, roundingBetween(one, other));

const howOf = ({ kind }: Relation): Link['how'] => (kind === 'permuted' || kind === 'reordered' ? kind : 'bytes');

const placesByHash = (tensors: readonly AuditTensor[]): Map<string, number> =>
  new Map(tensors.map(({ sha256 }, index) => [sha256, index]));

/** Characters that two names end with alike. */
function commonEnd(one: string, other: string): number {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one.at(-1 - length) === other.at(-1 - length)) length++;
  return length;
}
