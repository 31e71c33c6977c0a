import { cutPath, type EvidencePath, mergeByEvidence } from './evidence';
import type { IdentityUnits } from './identityUnits';
import { type Dense, rowOf, zeros } from './linearAlgebra';
import type { VoiceTable } from './localSpeakers';
import { projectTwoCovariance, type TwoCovariance } from './plda';
import type { IdentitySettings } from './settings';

/** Start clusters of voiced units, and the path of their merges. */
export interface IdentityPath {
  /** Start cluster of each unit; -1 for units without voice. */
  readonly labels: Int32Array;
  /** Seconds of speech in each start cluster. */
  readonly sizes: Int32Array;
  /** Constraint index of each start cluster, or -1. */
  readonly groups: Int32Array;
  readonly path: EvidencePath;
}

/** A range of numbers of clusters that the path must reach if it can. */
export interface CountRange {
  readonly least: number;
  readonly most: number;
}

/** Sums of the scaled latent embeddings of some units, and their size. */
interface Voices {
  /** Axes (cluster, latent dimension). */
  readonly sums: Dense;
  readonly sizes: Int32Array;
}

/**
 * Divides each identity at changes of its voice, then merges the parts by evidence, down to as few clusters as the limits allow.
 *
 * 1. The units of each identity are merged by the evidence of a PLDA, as long as a merge gains evidence, the prior included.
 *    A long recording does not lower the weight of embeddings here: a wrong division is repaired by the second step, a missing one
 *    is not.
 * 2. The parts of all identities are merged. Overlapping parts are merged only if `most` requires it, and parts of two constraints
 *    never. Parts of one identity gain the prior.
 *
 * @returns null if no unit has a voice
 */
export function identityPath(
  table: VoiceTable,
  { units, apart, weights }: IdentityUnits,
  plda: TwoCovariance,
  settings: IdentitySettings,
  { least, most }: CountRange,
): IdentityPath | null {
  const voiced = units.flatMap(({ weight }, index) => (weight > 0 ? [index] : []));
  if (voiced.length === 0) return null;
  const { betweenCovariance } = plda;
  const voices = voicesOf(table, voiced.map((unit) => units[unit]!.voiced), weights, plda);
  const prior = (identities: Int32Array) => ({ identities, nats: settings.identityNats });

  const total = voices.sizes.reduce((sum, size) => sum + size, 0);
  const uncapped = Math.min(1, Math.max(settings.observationWeight, settings.minObservations / total));
  const parts = partsOf(voiced.map((unit) => units[unit]!));
  const divided = parts.map(({ members, group }): DividedPart => {
    if (group >= 0) return { members, path: null, count: 1 };
    const own = pick(voices, members);
    const identities = Int32Array.from(members, (member) => 1 << units[voiced[member]!]!.identity);
    const path = mergeByEvidence({ ...own, betweenCovariance, observationWeight: uncapped, prior: prior(identities) });
    return { members, path, count: greatestCount(path) };
  });
  divideFurther(divided, least);
  const start = new Int32Array(voiced.length);
  const groups: number[] = [];
  for (const [index, { members, path, count }] of divided.entries()) {
    const cut = path ? cutPath(path, count) : new Int32Array(members.length);
    members.forEach((member, i) => (start[member] = groups.length + cut[i]!));
    for (let i = 0; i < count; i++) groups.push(parts[index]!.group);
  }

  const labels = new Int32Array(units.length).fill(-1);
  voiced.forEach((unit, index) => (labels[unit] = start[index]!));
  const { sums, sizes } = merged(voices, start, groups.length);
  const identities = new Int32Array(groups.length);
  voiced.forEach((unit, index) => (identities[start[index]!]! |= 1 << units[unit]!.identity));
  const input = { sums, sizes, betweenCovariance, observationWeight: Math.min(uncapped, settings.maxObservations / total), groups: Int32Array.from(groups), prior: prior(identities) };
  const strict = mergeByEvidence({ ...input, apart: apartOf(apart, labels, groups.length) });
  const path = reached(strict) > most ? continued(strict, input, Math.max(1, most)) : strict;
  return { labels, sizes, groups: input.groups, path };
}

/** Units that can be merged in the first step, as indices of voiced units: those of an identity, or of a constraint. */
function partsOf(units: readonly { readonly identity: number; readonly group: number }[]): { readonly members: readonly number[]; readonly group: number }[] {
  const parts = new Map<string, { members: number[]; group: number }>();
  for (const [index, { identity, group }] of units.entries()) {
    const key = group >= 0 ? `group ${group}` : `identity ${identity}`;
    const known = parts.get(key);
    if (known) known.members.push(index);
    else parts.set(key, { members: [index], group });
  }
  return [...parts.values()];
}

interface DividedPart {
  readonly members: readonly number[];
  /** Null for a constraint, which is not divided. */
  readonly path: EvidencePath | null;
  /** Number of clusters. */
  count: number;
}

/** The number of clusters with the greatest score; the lower one in a tie. */
const greatestCount = ({ scores }: EvidencePath): number => scores.indexOf(Math.max(...scores)) + 1;

/** Adds the divisions that lose the least evidence, up to `least` clusters or single units. */
function divideFurther(parts: readonly DividedPart[], least: number): void {
  const loss = ({ path, count }: DividedPart): number => (path && count < path.scores.length ? path.scores[count - 1]! - path.scores[count]! : Infinity);
  for (let total = parts.reduce((sum, { count }) => sum + count, 0); total < least; total++) {
    const next = parts.reduce((best, part) => (loss(part) < loss(best) ? part : best));
    if (loss(next) === Infinity) return;
    next.count++;
  }
}

/** Number of clusters at the end of a path. */
const reached = ({ numStart, merges }: EvidencePath): number => numStart - merges.length;

/** Continues a path without cannot-link constraints of overlaps, down to `most` clusters. */
function continued(strict: EvidencePath, input: Parameters<typeof mergeByEvidence>[0], most: number): EvidencePath {
  const before = reached(strict);
  const cut = cutPath(strict, before);
  // The lowest start cluster of each cluster keeps its number in a path.
  const names = Array.from({ length: before }, (_, cluster) => cut.indexOf(cluster));
  const identities = new Int32Array(before);
  const groups = new Int32Array(before).fill(-1);
  cut.forEach((cluster, start) => {
    identities[cluster]! |= input.prior!.identities[start]!;
    groups[cluster] = Math.max(groups[cluster]!, input.groups![start]!);
  });
  const { sums, sizes } = merged({ sums: input.sums, sizes: Int32Array.from(input.sizes) }, cut, before);
  const rest = mergeByEvidence({ ...input, sums, sizes, groups, prior: { ...input.prior!, identities } });
  const merges = rest.merges.slice(0, before - most).map(({ left, right }) => ({ left: names[left]!, right: names[right]! }));
  const scores = strict.scores.slice();
  merges.forEach((_, index) => (scores[before - 2 - index] = rest.scores[before - 2 - index]!));
  return { numStart: strict.numStart, merges: [...strict.merges, ...merges], scores };
}

/** Weighted sums of the latent embeddings, scaled by √betweenCovariance. @param rowsOf rows of each cluster */
function voicesOf(table: VoiceTable, rowsOf: readonly (readonly number[])[], weights: Int32Array, plda: TwoCovariance): Voices {
  const rows = rowsOf.flat();
  const latent = projectTwoCovariance(plda, rows.map((row) => table.rows[row]!));
  const spread = plda.betweenCovariance.map(Math.sqrt);
  const sums = zeros(rowsOf.length, latent.numColumns);
  const sizes = new Int32Array(rowsOf.length);
  let index = 0;
  for (const [cluster, own] of rowsOf.entries()) {
    const sum = rowOf(sums, cluster);
    for (const row of own) {
      const values = rowOf(latent, index++);
      for (let k = 0; k < sum.length; k++) sum[k]! += weights[row]! * values[k]! * spread[k]!;
      sizes[cluster]! += weights[row]!;
    }
  }
  return { sums, sizes };
}

function pick({ sums, sizes }: Voices, members: readonly number[]): Voices {
  const picked = zeros(members.length, sums.numColumns);
  members.forEach((member, index) => { rowOf(picked, index).set(rowOf(sums, member)); });
  return { sums: picked, sizes: Int32Array.from(members, (member) => sizes[member]!) };
}

/** @param labels cluster of each row of `voices` */
function merged({ sums, sizes }: Voices, labels: Int32Array, numClusters: number): Voices {
  const result = { sums: zeros(numClusters, sums.numColumns), sizes: new Int32Array(numClusters) };
  labels.forEach((label, index) => {
    const [into, from] = [rowOf(result.sums, label), rowOf(sums, index)];
    for (let k = 0; k < into.length; k++) into[k]! += from[k]!;
    result.sizes[label]! += sizes[index]!;
  });
  return result;
}

/** Axes (cluster, cluster): 1 if any two of their units overlap. A cluster is never apart from itself. */
function apartOf(pairs: IdentityUnits['apart'], labels: Int32Array, numClusters: number): Uint8Array {
  const apart = new Uint8Array(numClusters * numClusters);
  for (const [one, other] of pairs) {
    const [a, b] = [labels[one]!, labels[other]!];
    if (a < 0 || b < 0 || a === b) continue;
    apart[a * numClusters + b] = 1;
    apart[b * numClusters + a] = 1;
  }
  return apart;
}
