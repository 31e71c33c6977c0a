/** Detects by value the batch norms that an exporter folded into the preceding convolution or linear layer. */
import type { GraphProto } from '../../onnx/onnx_pb';
import { sizeOf } from '../tensor';
import type { Link } from './relations';
import type { AuditTensor } from './tensors';

/** A weight of the graph and the checkpoint weights that it was computed from. */
export interface Fold {
  /** Indices among the graph's tensors: the weight, and the bias if there is one. */
  readonly graph: readonly number[];
  /** Indices among the checkpoint's tensors: the weight, the bias if there is one, and the tensors of the norm. */
  readonly checkpoint: readonly number[];
  /** Name of the norm in the checkpoint. */
  readonly norm: string;
  /** Name of the layer's weight in the checkpoint. */
  readonly weight: string;
  /** Name of the weight in the graph. */
  readonly into: string;
}

/** Indices of one batch norm's tensors in the checkpoint. */
interface Norm {
  readonly name: string;
  readonly gamma: number | null;
  readonly beta: number | null;
  readonly mean: number;
  readonly variance: number;
}

/** Epsilons of PyTorch, TensorFlow and other frameworks. A checkpoint does not store the epsilon of its norms. */
const EPSILONS = [1e-5, 1e-3, 1e-6, 1e-12, 2e-5, 1e-4];

/**
 * Allowed error of a folded value, relative to the greatest value. Frameworks fold in float32 with a square root, a
 * quotient and a product, each with a relative rounding error of 2^-24, and with sums of these for the bias. With a
 * variance of 1, the two nearest epsilons differ by more.
 */
const MAX_ERROR = 2e-6;

const MEAN = /(^|[./])(running|moving)_mean$/;

/**
 * Finds graph weights that are a layer's weight times a batch norm's factors, with the bias that follows from the norm's
 * mean and offset.
 *
 * @param pairs indices of a graph weight and of the checkpoint weight whose rows it scales
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

/** Pairs of weights whose rows are multiples of each other according to their link. */
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
