/** Finds for each weight of a graph the one of a checkpoint that it is. */
import { graphOf } from '../../onnx/model';
import type { GraphProto, ModelProto } from '../../onnx/onnx_pb';
import type { OnStep } from '../stages';
import { sizeOf } from '../tensor';
import { Links, type Link } from './links';
import { equalNames, mappedNames, namesByNode, type NamePair } from './names';
import { linkRecurrent } from './recurrent';
import { pushTo } from './pushTo';
import { findScaled } from './scaled';
import { canBeSame, isConstant } from './statistics';
import { isSingle, roundingBetween, type AuditTensor } from './tensors';
import { hasSameValues, relate, type Relation } from './values';

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
