/** What the report says of each tensor: its flags, and a remark with the figures of each. */
import type { AuditEntry, AuditFlag } from '../auditReport';
import { shapeText } from '../tensor';
import type { Fold } from './folded';
import type { Link } from './links';
import { isConstant, type Statistics } from './statistics';
import type { Transposed } from './transposed';
import { isSingle, type AuditTensor } from './tensors';
import { hasSameValues, type Relation } from './values';

/** The other file, as a tensor of this one is seen from it. */
export interface Counterpart {
  readonly side: 'graph' | 'checkpoint';
  /** Tensors of the other file. */
  readonly tensors: readonly AuditTensor[];
  /** Links of this tensor. */
  readonly links: readonly Link[];
  /** Parts of this tensor that the other file has not, though it has others. */
  readonly missing: readonly string[];
  /** The other file's tensor that this one's rows are multiples of, or the reverse; null where there is none. */
  readonly scaled: AuditTensor | null;
  /** Why a tensor may have none, as the end of a sentence; null where nothing is known. */
  readonly excuse: string | null;
  /** The folded batch norm that this tensor is a part of; null if it is of none. */
  readonly fold: Fold | null;
  /** Which weights of the graph are transposed, and which should be. */
  readonly transposed: Transposed;
  /** Whether these are the ones or zeros of a norm that has no factors of its own. */
  readonly isPlainNorm: boolean;
}

interface Finding {
  /** Null for a remark about something that is not odd. */
  readonly flag: AuditFlag | null;
  readonly remark: string;
}

/** @param counterpart null where there is no other file */
export function entryOf(tensor: AuditTensor, counterpart: Counterpart | null): AuditEntry {
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

/** Whether zeros or ones are the checkpoint's own, or of a norm without factors: then the graph is right to have them. */
const isFromCheckpoint = ({ flag }: Finding, { links, isPlainNorm }: Counterpart): boolean =>
  (flag === 'all-zero' || flag === 'initial') && (links.length > 0 ? links.every(({ relation }) => hasSameValues(relation)) : isPlainNorm);

/** Whether a tensor is left out: of a single value, unless the other file has it by name or it is misplaced. */
export const isLeftOut = (tensor: AuditTensor, links: readonly Link[]): boolean =>
  isSingle(tensor) && links.length === 0 && tensor.problem === null;

function findingsOfValues(name: string, statistics: Statistics): Finding[] {
  const { numValues, zeroCount, nonFiniteCount, min } = statistics;
  const findings: Finding[] = [];
  // One value is what it is: a norm of one channel may well have a bias of zero.
  if (numValues > 1 && zeroCount === numValues) {
    findings.push({ flag: 'all-zero', remark: `all ${numValues} values are zero` });
    if (/(running|moving)_mean$/.test(name)) {
      findings.push({ flag: 'initial', remark: 'a running mean of zero is what a norm begins with' });
    }
  } else if (numValues > 1 && isConstant(statistics)) {
    const remark = `all ${numValues} values are ${min}: never trained or loaded, or of a norm that has no factors of its own`;
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
  // Of a weight that is used twice the first; of one in parts all.
  const names = first.part === null || side === 'checkpoint' ? [nameOf(first)] : links.map(nameOf);
  return { name: [...new Set(names)].join(' + '), how: first.how };
}

const otherPlace = ({ graph, checkpoint }: Link, side: Counterpart['side']): number =>
  side === 'graph' ? checkpoint : graph;

function findingsOfMatch(tensor: AuditTensor, counterpart: Counterpart): Finding[] {
  const { links, tensors, side, missing, scaled, excuse, fold, transposed, isPlainNorm } = counterpart;
  if (fold) return [{ flag: null, remark: `the batch norm ${fold.norm} is folded into ${fold.into}, with the values that follow from ${fold.weight} and the norm` }];
  if (links.length === 0) {
    if (isPlainNorm) return [{ flag: null, remark: 'the norm has no factors of its own, as exporters write the inner norm of a GroupNorm' }];
    const why = scaled ? `: ${scaledText(tensor.name, scaled.name, side)}` : excuse === null ? '' : `, ${excuse}`;
    return [{ flag: 'unmatched', remark: `the ${side === 'graph' ? 'checkpoint' : 'graph'} has no counterpart${why}` }];
  }
  const ofLinks = links.flatMap((link) => {
    const other = tensors[otherPlace(link, side)]!;
    return [
      ...findingsOfRelation(link, tensor, other, side, tensors).map((finding) => (isAsNeeded(link, transposed.needed) ? { ...finding, flag: null } : finding)),
      ...(transposed.missing.has(link.graph) ? [{ flag: 'permuted', remark: `${side === 'graph' ? 'this tensor' : other.name} is not transposed, unlike the other weights that a node multiplies by from the right` } as const] : []),
      // The gates of PyTorch are in the graph unmoved, which the values alone do not show.
      ...(link.warning === null ? [] : [{ flag: 'reordered', remark: `${link.part ?? other.name}: ${link.warning}` } as const]),
    ];
  });
  // Without parts, the whole was found in another way.
  const lacking = links.some(({ part }) => part !== null) ? missing : [];
  const ofMissing = lacking.map((part) => ({ flag: 'unmatched', remark: `the checkpoint has no counterpart of its ${part}` }) as const);
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

/** Whether the values are in the order that the graph's node needs, which a correct export makes. */
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
      const scaled = relation.isScaled ? '; each row is a multiple of its counterpart, as folding a batch norm makes it' : '';
      return { flag: 'values-differ', remark: `${graphText} differs from ${checkpointText} ${amount}${scaled}` };
    }
    case 'shape':
      return { flag: 'shape-differs', remark: `${graphText} and ${checkpointText} have other shapes: ${shapes}` };
    case 'unknown':
      return { flag: null, remark: `${graphText} is not compared with ${checkpointText}: one of them has no numbers` };
  }
}

/** More than these are not listed. */
const MAX_LISTED = 8;

function orderText(order: readonly number[]): string {
  if (order.length <= MAX_LISTED) return `its rows in ${order.length} blocks in the order ${order.join(', ')}`;
  const numMoved = order.filter((place, row) => place !== row).length;
  return `its rows in another order: ${numMoved} of ${order.length} blocks of them moved`;
}

function scaledText(name: string, scaled: string, side: Counterpart['side']): string {
  const [graph, checkpoint] = side === 'graph' ? ['its', scaled] : [`${scaled}'s`, name];
  return `${graph} rows are multiples of those of ${checkpoint}, as folding a batch norm into it makes them`;
}
