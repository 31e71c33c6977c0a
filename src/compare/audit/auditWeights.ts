import { graphOf } from '../../onnx/model';
import type { GraphProto, ModelProto, NodeProto } from '../../onnx/onnx_pb';
import { listWeights } from '../../onnx/weights';
import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/fetch';
import type { CheckpointTensor } from '../files/elements';
import type { NamedFile } from '../files/goldenFiles';
import { readNpz } from '../files/npy';
import { readSafetensors } from '../files/safetensors';
import { isZip } from '../files/zip';
import type { AuditEntry, AuditFlag, AuditReport } from '../report';
import type { OnStep } from '../stages';
import { shapeText } from '../tensor';
import { findFolds, type Fold, scaledPairs } from './folded';
import { matchWeights } from './match';
import { initialStates } from './recurrent';
import { hasSameValues, type Link, type Relation } from './relations';
import {
  type AuditTensor,
  checkpointTensors,
  graphTensors,
  isConstant,
  isSingle,
  measureTensors,
  pushTo,
  type Statistics,
} from './tensors';

const GGUF_MAGIC = 'GGUF';

/**
 * Reads the tensors of a checkpoint in file order. The format is detected by the first bytes, because browsers rename saved
 * files. Only `.safetensors`, which begins with a number, is detected by name.
 *
 * @throws VoxlaneError `format` for an unsupported, damaged or truncated file
 */
export async function readCheckpoint({ name, bytes }: NamedFile): Promise<CheckpointTensor[]> {
  if (new TextDecoder('latin1').decode(bytes.subarray(0, GGUF_MAGIC.length)) === GGUF_MAGIC || /\.gguf$/i.test(name)) {
    // Loaded on demand: the library has 230 kB, and few audits need it.
    const { readGguf } = await loadPart(() => import('../files/gguf'));
    return readGguf(bytes, name);
  }
  if (/\.safetensors$/i.test(name)) return readSafetensors(bytes, name);
  // PyTorch's own zip files contain pickles and no .npy file; their extensions identify them.
  if (/\.npz$/i.test(name) || (isZip(bytes) && !/\.(pt|pth|bin|ckpt)$/i.test(name))) return readNpz(bytes, name);
  throw new VoxlaneError({
    code: 'format',
    problem: `${name} is not a supported checkpoint`,
    expected: 'a .safetensors, .npz or .gguf file',
    remedy: 'Save it with safetensors.torch.save_file(torch.load(path), other)',
  });
}

/** Names of the Resize inputs that are settings: scales and regions. */
const resizeSettings = ({ node }: GraphProto): Set<string> =>
  new Set(node.filter(({ opType }) => opType === 'Resize').flatMap(({ input }) => input.slice(1)));

/**
 * Indices of the all-one factors and all-zero biases of InstanceNormalization nodes. Exporters write GroupNorm as such a
 * node, followed by the factors of the GroupNorm.
 */
function plainNorms({ node }: GraphProto, graph: readonly AuditTensor[]): ReadonlySet<number> {
  const norms = node.filter(({ opType }) => opType === 'InstanceNormalization');
  const [factors, biases] = [1, 2].map((position) => new Set(norms.map(({ input }) => input[position])));
  const isAll = ({ statistics }: AuditTensor, value: number): boolean => statistics !== null && isConstant(statistics) && statistics.min === value;
  return new Set(
    graph.flatMap((tensor, place) => (factors!.has(tensor.name) && isAll(tensor, 1)) || (biases!.has(tensor.name) && isAll(tensor, 0)) ? [place] : []),
  );
}

/** Layout of the weights of linear layers in a graph. */
interface Transposed {
  /** Indices of weights that are transposed, as their node requires. */
  readonly needed: ReadonlySet<number>;
  /** Indices of square weights that are laid out as in the checkpoint, although their node requires them transposed. */
  readonly missing: ReadonlySet<number>;
}

/**
 * Finds weights that a node multiplies from the right, while the checkpoint has (output, input) as in PyTorch. A square
 * weight fits both ways: it counts only if a non-square weight shows that the checkpoint uses this layout and none shows
 * the opposite.
 */
function transposedWeights(
  { node }: GraphProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  links: readonly Link[],
): Transposed {
  const products = new Set(node.filter(isProduct).map(({ input }) => input[1] ?? ''));
  const ofProducts = links.filter(({ graph: place, part }) => part === null && products.has(graph[place]!.name) && graph[place]!.shape.length === 2);
  const isSquare = ({ graph: place }: Link): boolean => graph[place]!.shape[0] === graph[place]!.shape[1];
  const isTransposed = ({ relation }: Link): boolean => relation.kind === 'permuted' && relation.order.join() === '1,0';
  // Keras stores (input, output) and names the weight `kernel`.
  const isKernel = ({ checkpoint: place }: Link): boolean => /(^|[./])kernel$/.test(checkpoint[place]!.name);
  const telling = ofProducts.filter((link) => !isSquare(link));
  const areSquaresTransposed = telling.some(isTransposed) && !telling.some(({ relation }) => relation.kind === 'same');
  const needed = ofProducts.filter((link) => isTransposed(link) && !isKernel(link) && (!isSquare(link) || areSquaresTransposed));
  // Other parameters may be multiplied without a transposition.
  const isOfLayer = ({ checkpoint: place }: Link): boolean => /(^|[./])weight$/.test(checkpoint[place]!.name);
  const missing = ofProducts.filter((link) => areSquaresTransposed && isSquare(link) && link.relation.kind === 'same' && isOfLayer(link) && !isSymmetric(graph[link.graph]!));
  return { needed: new Set(needed.map(({ graph: place }) => place)), missing: new Set(missing.map(({ graph: place }) => place)) };
}

function isSymmetric({ shape, values }: AuditTensor): boolean {
  const data = values();
  const size = shape[0]!;
  return data === null || data.every((value, index) => value === data[(index % size) * size + Math.floor(index / size)]);
}

/** Multiplies by its second input without transposing it. */
const isProduct = ({ opType, attribute }: NodeProto): boolean =>
  opType === 'MatMul' || (opType === 'Gemm' && attribute.find(({ name }) => name === 'transB')?.i !== 1n);

/** The other file, as seen from a tensor of this one. */
interface Counterpart {
  readonly side: 'graph' | 'checkpoint';
  /** Tensors of the other file. */
  readonly tensors: readonly AuditTensor[];
  /** Links of this tensor. */
  readonly links: readonly Link[];
  /** Parts of this tensor that the other file lacks, although it has other parts. */
  readonly missing: readonly string[];
  /** The other file's tensor whose rows are multiples of this tensor's rows, or the reverse; null if there is none. */
  readonly scaled: AuditTensor | null;
  /** Why a tensor may have no counterpart, as the end of a sentence; null if unknown. */
  readonly excuse: string | null;
  /** The folded batch norm that contains this tensor; null if there is none. */
  readonly fold: Fold | null;
  /** Which weights of the graph are transposed, and which should be. */
  readonly transposed: Transposed;
  /** True for the ones or zeros of a norm without factors. */
  readonly isPlainNorm: boolean;
}

interface Finding {
  /** Null for a remark that reports no irregularity. */
  readonly flag: AuditFlag | null;
  readonly remark: string;
}

/** @param counterpart null if there is no other file */
function entryOf(tensor: AuditTensor, counterpart: Counterpart | null): AuditEntry {
  const { name, dtype, shape, sha256, statistics } = tensor;
  const findings = [
    ...(tensor.problem === null ? [] : [{ flag: 'misaligned', remark: tensor.problem } as const]),
    ...(tensor.note === null ? [] : [{ flag: null, remark: tensor.note }]),
    ...(statistics ? findingsOfValues(name, statistics).map((finding) => (counterpart && isFromCheckpoint(finding, counterpart) ? { ...finding, flag: null } : finding)) : []),
    ...(counterpart ? findingsOfMatch(tensor, counterpart) : []),
  ];
  const flags = findings.flatMap(({ flag }) => flag ?? []);
  return {
    name,
    dtype,
    shape,
    sha256,
    mean: statistics?.mean ?? null,
    standardDeviation: statistics?.standardDeviation ?? null,
    zeroCount: statistics?.zeroCount ?? 0,
    nonFiniteCount: statistics?.nonFiniteCount ?? 0,
    match: counterpart && matchOf(counterpart),
    flags: [...new Set(flags)],
    remarks: findings.map(({ remark }) => remark),
  };
}

/** True if zeros or ones come from the checkpoint or belong to a norm without factors. The graph is then correct. */
const isFromCheckpoint = ({ flag }: Finding, { links, isPlainNorm }: Counterpart): boolean =>
  (flag === 'all-zero' || flag === 'initial') && (links.length > 0 ? links.every(({ relation }) => hasSameValues(relation)) : isPlainNorm);

/** True if a tensor is left out: it has a single value, no link by name, and is not misplaced. */
const isLeftOut = (tensor: AuditTensor, links: readonly Link[]): boolean =>
  isSingle(tensor) && links.length === 0 && tensor.problem === null;

function findingsOfValues(name: string, statistics: Statistics): Finding[] {
  const { numValues, zeroCount, nonFiniteCount, min } = statistics;
  const findings: Finding[] = [];
  // A single value is not suspicious: the norm of one channel may have a bias of zero.
  if (numValues > 1 && zeroCount === numValues) {
    findings.push({ flag: 'all-zero', remark: `all ${numValues} values are zero` });
    if (/(running|moving)_mean$/.test(name)) {
      findings.push({ flag: 'initial', remark: 'a running mean of zero is the initial value of a norm' });
    }
  } else if (numValues > 1 && isConstant(statistics)) {
    const remark = `all ${numValues} values are ${min}: never trained or loaded, or part of a norm without factors`;
    findings.push({ flag: 'initial', remark });
  }
  if (nonFiniteCount > 0) {
    findings.push({ flag: 'not-finite', remark: `${nonFiniteCount} of ${numValues} values are NaN or infinite` });
  }
  return findings;
}

function matchOf({ links, tensors, side }: Counterpart): AuditEntry['match'] {
  const [first] = links;
  if (!first) return null;
  const nameOf = (link: Link): string => tensors[otherPlace(link, side)]!.name;
  // For a weight that is used twice, the first link; for a weight in parts, all links.
  const names = first.part === null || side === 'checkpoint' ? [nameOf(first)] : links.map(nameOf);
  return { name: [...new Set(names)].join(' + '), how: first.how };
}

const otherPlace = ({ graph, checkpoint }: Link, side: Counterpart['side']): number =>
  side === 'graph' ? checkpoint : graph;

function findingsOfMatch(tensor: AuditTensor, counterpart: Counterpart): Finding[] {
  const { links, tensors, side, missing, scaled, excuse, fold, transposed, isPlainNorm } = counterpart;
  if (fold) return [{ flag: null, remark: `the batch norm ${fold.norm} is folded into ${fold.into}, with the values that follow from ${fold.weight} and the norm` }];
  if (links.length === 0) {
    if (isPlainNorm) return [{ flag: null, remark: 'the norm has no factors: exporters write the inner norm of a GroupNorm like this' }];
    const why = scaled ? `: ${scaledText(tensor.name, scaled.name, side)}` : excuse === null ? '' : `, ${excuse}`;
    return [{ flag: 'unmatched', remark: `the ${side === 'graph' ? 'checkpoint' : 'graph'} has no counterpart${why}` }];
  }
  const ofLinks = links.flatMap((link) => {
    const other = tensors[otherPlace(link, side)]!;
    return [
      ...findingsOfRelation(link, tensor, other, side, tensors).map((finding) => (isAsNeeded(link, transposed.needed) ? { ...finding, flag: null } : finding)),
      ...(transposed.missing.has(link.graph) ? [{ flag: 'permuted', remark: `${side === 'graph' ? 'this tensor' : other.name} is not transposed, unlike the other weights that a node multiplies by from the right` } as const] : []),
      // The gates are in PyTorch's order, which the values alone do not show.
      ...(link.warning === null ? [] : [{ flag: 'reordered', remark: `${link.part ?? other.name}: ${link.warning}` } as const]),
    ];
  });
  // Without parts, the whole tensor was matched in another way.
  const lacking = links.some(({ part }) => part !== null) ? missing : [];
  const ofMissing = lacking.map((part) => ({ flag: 'unmatched', remark: `the checkpoint has no counterpart for its ${part}` }) as const);
  return [...ofLinks, ...ofMissing];
}

function findingsOfRelation(
  { relation, part, note }: Link,
  tensor: AuditTensor,
  other: AuditTensor,
  side: Counterpart['side'],
  others: readonly AuditTensor[],
): Finding[] {
  const [graph, checkpoint] = side === 'graph' ? [tensor, other] : [other, tensor];
  const graphText =
    side === 'graph'
      ? part === null ? 'this tensor' : `its ${part}`
      : part === null ? graph.name : `the ${part} in ${graph.name}`;
  const checkpointText = side === 'checkpoint' ? 'this tensor' : checkpoint.name;
  const shapes = `${shapeText(checkpoint.shape)} in the checkpoint, ${shapeText(graph.shape)} in the graph`;
  const finding = findingOf(relation, { graphText, checkpointText, shapes, types: [checkpoint.dtype, graph.dtype] });
  if (!finding) return [];
  const elsewhere = relation.kind === 'differs' ? others.find(({ sha256 }) => sha256 === tensor.sha256) : undefined;
  const remark = note === null ? finding.remark : `${finding.remark}, ${note}`;
  return [{ ...finding, remark }, ...(elsewhere ? [{ flag: null, remark: `its values are those of ${elsewhere.name}` }] : [])];
}

/** True if the values are in the order that the graph's node requires, as in a correct export. */
const isAsNeeded = ({ relation, note, graph }: Link, transposed: ReadonlySet<number>): boolean =>
  (relation.kind === 'reordered' && note !== null) || (relation.kind === 'permuted' && transposed.has(graph));

interface Texts {
  readonly graphText: string;
  readonly checkpointText: string;
  readonly shapes: string;
  /** Types in the checkpoint and in the graph. */
  readonly types: readonly [string, string];
}

function findingOf(relation: Relation, { graphText, checkpointText, shapes, types }: Texts): Finding | null {
  switch (relation.kind) {
    case 'same':
      if (!relation.isRounded) return null;
      return { flag: null, remark: `${graphText} is ${checkpointText}, rounded from or to ${types.join(' and ')}` };
    case 'reshaped':
      return { flag: 'shape-differs', remark: `${graphText} has the values of ${checkpointText} in the same order, but is not transposed: ${shapes}` };
    case 'permuted':
      return { flag: 'permuted', remark: `${graphText} is ${checkpointText} with its axes in the order ${relation.order.join(', ')}: ${shapes}` };
    case 'reordered':
      return { flag: 'reordered', remark: `${graphText} is ${checkpointText} with ${orderText(relation.order)}` };
    case 'differs': {
      const amount = Number.isFinite(relation.maxAbs) ? `by up to ${Number(relation.maxAbs.toPrecision(3))}` : 'by NaN or infinite values';
      const scaled = relation.isScaled ? '; each row is a multiple of its counterpart, as after folding a batch norm' : '';
      return { flag: 'values-differ', remark: `${graphText} differs from ${checkpointText} ${amount}${scaled}` };
    }
    case 'shape':
      return { flag: 'shape-differs', remark: `${graphText} and ${checkpointText} have different shapes: ${shapes}` };
    case 'unknown':
      return { flag: null, remark: `${graphText} is not compared with ${checkpointText}: one of them has no numbers` };
  }
}

/** Maximum number of items in a listed order. */
const MAX_LISTED = 8;

function orderText(order: readonly number[]): string {
  if (order.length <= MAX_LISTED) return `its rows in ${order.length} blocks in the order ${order.join(', ')}`;
  const numMoved = order.filter((place, row) => place !== row).length;
  return `its rows in another order: ${numMoved} of ${order.length} blocks of them moved`;
}

function scaledText(name: string, scaled: string, side: Counterpart['side']): string {
  const [graph, checkpoint] = side === 'graph' ? ['its', scaled] : [`${scaled}'s`, name];
  return `${graph} rows are multiples of those of ${checkpoint}, as after folding a batch norm`;
}

/**
 * Lists every weight tensor of a graph next to the tensors of its checkpoint.
 *
 * Weights are floating-point numbers. Integers (shapes, axes, counters) are left out, and so are single values (an epsilon,
 * a factor) unless the other file has one of that name, the initial zeros of recurrent nodes, and the factors of Resize.
 * Misplaced tensors are listed whatever they contain. Changes of a correct export are not flagged: the weight of a linear
 * layer transposed for MatMul; gates in ONNX order; a folded batch norm with correct values; the inner norm of a GroupNorm.
 *
 * @param name model name for the report
 * @param checkpoint a `.safetensors`, `.npz` or `.gguf` file; null to audit the graph alone
 * @throws VoxlaneError `format` if the checkpoint cannot be read; errors of `onStep`
 */
export async function auditWeights(
  model: ModelProto,
  name: string,
  checkpoint: NamedFile | null,
  onStep: OnStep,
): Promise<AuditReport> {
  const graph = await measureTensors(
    graphTensors(listWeights(model), new Set([...initialStates(graphOf(model)), ...resizeSettings(graphOf(model))])),
    'weights of the graph',
    onStep,
  );
  if (!checkpoint) {
    const weights = graph.filter((tensor) => !isLeftOut(tensor, [])).map((tensor) => entryOf(tensor, null));
    return { model: name, weights, checkpoint: null, numFlagged: countFlagged(weights) };
  }
  const found = checkpointTensors(await readCheckpoint(checkpoint));
  const tensors = await measureTensors(found, 'weights of the checkpoint', onStep);
  const { weights, others } = await auditBoth(model, graph, tensors, onStep);
  return {
    model: name,
    weights,
    checkpoint: { file: checkpoint.name, weights: others },
    numFlagged: countFlagged(weights) + countFlagged(others),
  };
}

async function auditBoth(
  model: ModelProto,
  graph: readonly AuditTensor[],
  checkpoint: readonly AuditTensor[],
  onStep: OnStep,
): Promise<{ weights: AuditEntry[]; others: AuditEntry[] }> {
  const { links, missing, scaled } = await matchWeights(model, graph, checkpoint, onStep);
  const excuse = foldingExcuse(model, checkpoint);
  const folds = findFolds(graphOf(model), graph, checkpoint, [...scaled, ...scaledPairs(links)]);
  const transposed = transposedWeights(graphOf(model), graph, checkpoint, links);
  const plain = plainNorms(graphOf(model), graph);
  const scaledOf = new Map(Array.from(scaled, ([ours, theirs]) => [theirs, ours]));
  const entries = (side: 'graph' | 'checkpoint'): AuditEntry[] => {
    const [own, tensors, multiples] = side === 'graph' ? [graph, checkpoint, scaled] : [checkpoint, graph, scaledOf];
    const linksOf = new Map<number, Link[]>();
    for (const link of links) pushTo(linksOf, link[side], link);
    return own.flatMap((tensor, index) => {
      const ownLinks = linksOf.get(index) ?? [];
      if (isLeftOut(tensor, ownLinks)) return [];
      const multiple = tensors[multiples.get(index) ?? -1] ?? null;
      const parts = side === 'graph' ? (missing.get(index) ?? []) : [];
      const fold = folds.find((each) => each[side].includes(index)) ?? null;
      return [entryOf(tensor, { side, tensors, links: ownLinks, missing: parts, scaled: multiple, excuse, fold, transposed, isPlainNorm: side === 'graph' && plain.has(index) })];
    });
  };
  return { weights: entries('graph'), others: entries('checkpoint') };
}

/** Why weights around a batch norm may have no counterpart; null if every norm is still a node of the graph. */
function foldingExcuse(model: ModelProto, checkpoint: readonly AuditTensor[]): string | null {
  const numNodes = graphOf(model).node.filter(({ opType }) => opType === 'BatchNormalization').length;
  const numNorms = checkpoint.filter(({ name }) => /(running|moving)_mean$/.test(name)).length;
  if (numNorms <= numNodes) return null;
  const nodes = numNodes === 0 ? 'no BatchNormalization node' : `only ${numNodes} BatchNormalization nodes`;
  return `perhaps by folding: the checkpoint has ${numNorms} batch norms and the graph ${nodes}`;
}

const countFlagged = (entries: readonly AuditEntry[]): number => entries.filter(({ flags }) => flags.length > 0).length;
