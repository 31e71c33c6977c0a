/** Batch norms that an exporter folded into the convolution or linear layer before them, recognized by their values. */
import type { GraphProto } from '../../onnx/onnx_pb';
import { sizeOf } from '../tensor';
import type { Link } from './relations';
import type { AuditTensor } from './tensors';

/** A weight of the graph and the weights of the checkpoint that it was made of. */
export interface Fold {
  /** Places among the graph's tensors: the weight, and the bias if there is one. */
  readonly graph: readonly number[];
  /** Places among the checkpoint's tensors: the weight, the bias if there is one, and those of the norm. */
  readonly checkpoint: readonly number[];
  /** Name of the norm in the checkpoint. */
  readonly norm: string;
  /** Name of the layer's weight in the checkpoint. */
  readonly weight: string;
  /** Name of the weight in the graph. */
  readonly into: string;
}

/** Places of one batch norm's tensors in the checkpoint. */
interface Norm {
  readonly name: string;
  readonly gamma: number | null;
  readonly beta: number | null;
  readonly mean: number;
  readonly variance: number;
}

/** PyTorch's, TensorFlow's and others'. A checkpoint does not say which one its norms have. */
const EPSILONS = [1e-5, 1e-3, 1e-6, 1e-12, 2e-5, 1e-4];

/**
 * Share of the greatest value by which a folded value may be off: frameworks fold in float32, with a square root, a quotient and a
 * product, each rounded by 2^-24 of itself, and sums of these for the bias. The nearest two epsilons of a variance of 1 differ by more.
 */
const MAX_ERROR = 2e-6;

const MEAN = /(^|[./])(running|moving)_mean$/;

/**
 * Finds the weights of the graph that are a layer's weight times a batch norm's factors, whose bias is the one that follows from the
 * norm's mean and offset.
 *
 * @param pairs places of a weight of the graph and of the weight of the checkpoint that each of its rows is a multiple of
 */
export function findFolds(
  { node }: GraphProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  pairs: Iterable<readonly [graph: number, checkpoint: number]>,
): Fold[] {
  const places = new Map(graph.map(({ name }, index) => [name, index]));
  const norms = normsOf(checkpoint);
  const folds: Fold[] = [];
  for (const [ours, theirs] of pairs) {
    const reader = node.find(({ input }) => input[1] === graph[ours]!.name);
    const bias = places.get(reader?.input[2] ?? '') ?? null;
    const layerBias = checkpoint.findIndex(({ name }) => name === checkpoint[theirs]!.name.replace(/(weight|kernel)$/, 'bias'));
    const own = layerBias === -1 || layerBias === theirs ? null : layerBias;
    const norm = norms.find((each) => isFolded({ ours: graph[ours]!, bias: bias === null ? null : graph[bias]! }, { theirs: checkpoint[theirs]!, own: own === null ? null : checkpoint[own]! }, each, checkpoint));
    if (!norm) continue;
    folds.push({
      graph: [ours, ...(bias === null ? [] : [bias])],
      checkpoint: [theirs, norm.gamma, norm.beta, norm.mean, norm.variance, own].filter((place) => place !== null),
      norm: norm.name,
      weight: checkpoint[theirs]!.name,
      into: graph[ours]!.name,
    });
  }
  return folds;
}

/** Pairs of weights of which the link says that one's rows are multiples of the other's. */
export const scaledPairs = (links: readonly Link[]): [number, number][] =>
  links.flatMap(({ graph, checkpoint, relation }) => (relation.kind === 'differs' && relation.isScaled ? [[graph, checkpoint]] : []));

function normsOf(checkpoint: readonly AuditTensor[]): Norm[] {
  const places = new Map(checkpoint.map(({ name }, index) => [name, index]));
  return checkpoint.flatMap(({ name }, mean): Norm[] => {
    if (!MEAN.test(name)) return [];
    const sibling = (...ends: string[]): number | null => ends.map((end) => places.get(name.replace(/(running|moving)_mean$/, end))).find((place) => place !== undefined) ?? null;
    const variance = sibling('running_var', 'moving_variance');
    if (variance === null) return [];
    return [{ name: name.replace(/[./]?(running|moving)_mean$/, ''), gamma: sibling('weight', 'gamma'), beta: sibling('bias', 'beta'), mean, variance }];
  });
}

interface Ours {
  readonly ours: AuditTensor;
  readonly bias: AuditTensor | null;
}
interface Theirs {
  readonly theirs: AuditTensor;
  readonly own: AuditTensor | null;
}

function isFolded({ ours, bias }: Ours, { theirs, own }: Theirs, norm: Norm, checkpoint: readonly AuditTensor[]): boolean {
  const numRows = theirs.shape[0] ?? 0;
  const valuesAt = (place: number | null, missing: number): Float32Array | null =>
    place === null ? new Float32Array(numRows).fill(missing) : (checkpoint[place]!.values() ?? null);
  const [gamma, beta] = [valuesAt(norm.gamma, 1), valuesAt(norm.beta, 0)];
  const [mean, variance] = [valuesAt(norm.mean, 0), valuesAt(norm.variance, 1)];
  const [folded, whole] = [ours.values(), theirs.values()];
  const [foldedBias, wholeBias] = [bias ? bias.values() : new Float32Array(numRows), own ? own.values() : new Float32Array(numRows)];
  if (!gamma || !beta || !mean || !variance || !folded || !whole || !foldedBias || !wholeBias) return false;
  if ([gamma, beta, mean, variance, foldedBias, wholeBias].some(({ length }) => length !== numRows)) return false;
  const rowLength = sizeOf(theirs.shape) / numRows;
  return EPSILONS.some((epsilon) => {
    const factors = Array.from(gamma, (value, row) => value / Math.sqrt(variance[row]! + epsilon));
    return (
      isClose(folded, (index) => whole[index]! * factors[Math.floor(index / rowLength)]!) &&
      isClose(foldedBias, (row) => beta[row]! + (wholeBias[row]! - mean[row]!) * factors[row]!)
    );
  });
}

function isClose(values: Float32Array, expectedAt: (index: number) => number): boolean {
  const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return values.every((value, index) => Math.abs(value - expectedAt(index)) <= MAX_ERROR * greatest);
}
