import { checkConstraintCount, type ConstrainedRows, clustersOfConstraints } from './constraints';
import { bestCount, countScores, cutPath } from './evidence';
import { type IdentityPath, identityPath } from './identityPath';
import { type IdentityUnits, identityUnits } from './identityUnits';
import { clusterMeans } from './linearAlgebra';
import { INACTIVE, type JudgedClusters, type SpeakerBounds, type VoiceTable } from './localSpeakers';
import type { TwoCovariance } from './plda';
import type { IdentitySettings } from './settings';
import { confidences, similarities } from './softClusters';

/** Speech of fewer seconds does not affect the likelihood of a number of speakers. */
const MIN_COUNTED_SECONDS = 4;

/** A cluster of each unit. */
interface UnitClusters extends IdentityUnits {
  /** Axes (unit): cluster. */
  readonly clusters: Int32Array;
}

/**
 * Clusters the identities of a model that follows speakers itself. Within the bounds, the identities are the speakers. If another
 * number is requested, or an exact one, the speech of each identity in each span is clustered by the evidence of a PLDA: the identity is a
 * must-link constraint within a span and a prior across spans, and overlaps within a span are cannot-link constraints. A
 * requested number takes precedence over both constraints.
 */
export class IdentityClusterer {
  private readonly units: IdentityUnits;
  private readonly paths = new Map<string, IdentityPath | null>();
  /** Of the most recent constraints. */
  private constrainedUnits: { readonly constrained: ConstrainedRows; readonly units: IdentityUnits; readonly paths: Map<string, IdentityPath | null> } | null = null;
  private singleWindows: IdentityUnits | null = null;

  /**
   * @param table its local speakers are the identities, the same ones in all windows; windows do not overlap
   * @param secondsPerFrame distance between the frames of a window
   */
  constructor(
    private readonly table: VoiceTable,
    private readonly plda: TwoCovariance,
    private readonly settings: IdentitySettings,
    private readonly secondsPerFrame: number,
  ) {
    this.units = identityUnits(table, settings, secondsPerFrame, null);
  }

  /** There is no linkage of single embeddings. */
  readonly dendrogram = null;

  /** Computes in advance the part that does not depend on the number of speakers. */
  warm(): void {
    this.freePath();
  }

  /** There is nothing to prepare for another number of speakers. */
  anticipate(): boolean {
    return false;
  }

  /**
   * Constraints that the clusters already satisfy change nothing, except that speech without an embedding follows them.
   *
   * @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers`
   */
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null): JudgedClusters {
    if (constrained) checkConstraintCount(constrained, bounds.maxSpeakers);
    const free = this.judge(this.standsWithin(bounds) ? this.standing() : this.counted(bounds));
    if (!constrained) return { ...free, ...this.counts(free.centroids.length) };
    const kept = clustersOfConstraints(constrained, this.table, (row) => free.hardClusters[row]!);
    if (!kept) return this.clusterConstrained(bounds, constrained);
    const hardClusters = free.hardClusters.map((cluster, row) => {
      const group = constrained.groups[row]!;
      return group < 0 || this.table.hasEmbedding(row) ? cluster : kept[group]!;
    });
    return { ...free, hardClusters, constraintClusters: kept };
  }

  /** Identities with speech, ascending. */
  private identities({ units } = this.units): number[] {
    return [...new Set(units.map(({ identity }) => identity))].sort((a, b) => a - b);
  }

  /** An exact number is a statement about the recording, even if the identities have the same number. */
  private standsWithin({ minSpeakers, maxSpeakers }: SpeakerBounds): boolean {
    const count = this.identities().length;
    return minSpeakers !== maxSpeakers && count >= minSpeakers && count <= maxSpeakers;
  }

  private standing(): UnitClusters {
    const identities = this.identities();
    return { ...this.units, clusters: Int32Array.from(this.units.units, ({ identity }) => identities.indexOf(identity)) };
  }

  private counted(bounds: SpeakerBounds): UnitClusters {
    const whole = this.divided(this.units, this.paths, bounds);
    if (countOf(whole) >= bounds.minSpeakers || this.settings.windowsPerSpan === 1) return whole;
    // Only the windows of a span are more speakers.
    const settings = { ...this.settings, windowsPerSpan: 1 };
    this.singleWindows ??= identityUnits(this.table, settings, this.secondsPerFrame, null);
    const single = this.divided(this.singleWindows, new Map(), bounds);
    return countOf(single) > countOf(whole) ? single : whole;
  }

  /**
   * Clusters the units with a voice, and adds those without one. An identity without any voice remains a speaker if the bounds
   * have room for it; otherwise its speech gets the speaker who talks nearest to it.
   */
  private divided(units: IdentityUnits, paths: Map<string, IdentityPath | null>, { minSpeakers, maxSpeakers }: SpeakerBounds): UnitClusters {
    const silent = this.identities(units).filter((identity) => !units.units.some((unit) => unit.identity === identity && unit.weight > 0));
    const least = Math.max(1, minSpeakers - silent.length);
    const found = this.pathOf(units, paths, { least: minSpeakers, most: maxSpeakers });
    let numClusters = 0;
    const clusters = new Int32Array(units.units.length).fill(-1);
    if (found) {
      numClusters = bestCount(found.path, Math.min(least, found.path.numStart), maxSpeakers);
      const cut = cutPath(found.path, numClusters);
      found.labels.forEach((label, unit) => { if (label >= 0) clusters[unit] = cut[label]!; });
    }
    const room = Math.max(found ? 0 : 1, maxSpeakers - numClusters);
    const own = new Map(silent.slice(0, room).map((identity, index) => [identity, numClusters + index]));
    for (const [unit, { identity }] of units.units.entries()) if (own.has(identity)) clusters[unit] = own.get(identity)!;
    return { ...units, clusters: followNearest(units, clusters) };
  }

  /**
   * The bounds, or else the number of identities after the corrections: one speaker for each constraint, and one for each identity
   * that no constraint has speech of.
   */
  private clusterConstrained({ minSpeakers, maxSpeakers }: SpeakerBounds, constrained: ConstrainedRows): JudgedClusters {
    const { table, settings, secondsPerFrame } = this;
    if (this.constrainedUnits?.constrained !== constrained) {
      this.constrainedUnits = { constrained, units: identityUnits(table, settings, secondsPerFrame, constrained), paths: new Map() };
    }
    const { units, paths } = this.constrainedUnits;
    const touched = new Set(units.units.filter(({ group }) => group >= 0).map(({ identity }) => identity));
    const corrected = constrained.heard.length + this.identities(units).filter((identity) => !touched.has(identity)).length;
    const count = Math.min(maxSpeakers, Math.max(minSpeakers, constrained.heard.length, corrected));
    const found = this.divided(units, paths, { minSpeakers: count, maxSpeakers: count });
    const constraintClusters = Array.from({ length: constrained.numGroups }, () => -1);
    for (const [unit, { group, weight }] of units.units.entries()) {
      if (group >= 0 && (constraintClusters[group] === -1 || weight > 0)) constraintClusters[group] = found.clusters[unit]!;
    }
    return { ...this.judge(found), constraintClusters };
  }

  private pathOf(units: IdentityUnits, paths: Map<string, IdentityPath | null>, { least, most }: { least: number; most: number }): IdentityPath | null {
    const key = `${least} ${most}`;
    if (!paths.has(key)) paths.set(key, identityPath(this.table, units, this.plda, this.settings, { least, most }));
    return paths.get(key)!;
  }

  private freePath(): IdentityPath | null {
    return this.pathOf(this.units, this.paths, { least: 1, most: Infinity });
  }

  private counts(chosen: number): Pick<JudgedClusters, 'counts'> {
    const found = this.freePath();
    if (!found) return {};
    const total = found.sizes.reduce((sum, size) => sum + size, 0);
    return { counts: countScores(found.path, found.sizes, Math.min(MIN_COUNTED_SECONDS, 0.1 * total), chosen) };
  }

  private judge({ units, weights, clusters }: UnitClusters): JudgedClusters {
    const { table } = this;
    const hardClusters = new Int32Array(table.rows.length).fill(INACTIVE);
    for (const [unit, { rows }] of units.entries()) for (const row of rows) hardClusters[row] = clusters[unit]!;
    const voiced = [...hardClusters.keys()].filter((row) => hardClusters[row]! >= 0 && weights[row]! > 0);
    const numClusters = clusters.reduce((most, cluster) => Math.max(most, cluster), -1) + 1;
    const centroids = clusterMeans(voiced.map((row) => table.rows[row]!), Int32Array.from(voiced, (row) => hardClusters[row]!), numClusters, table.local.dimension);
    // Speakers without a voice have no similarity.
    const known = [...centroids.keys()].filter((cluster) => !Number.isNaN(centroids[cluster]![0]!));
    const numbers = new Map(known.map((cluster, index) => [cluster, index]));
    const judged = known.length === 0
      ? new Float64Array(hardClusters.length).fill(NaN)
      : confidences(table, hardClusters.map((cluster) => numbers.get(cluster) ?? INACTIVE), similarities(table, known.map((cluster) => centroids[cluster]!)), null);
    return { hardClusters, centroids, confidences: judged, confidenceKind: 'margin' };
  }
}

const countOf = ({ clusters }: UnitClusters): number => new Set(clusters).size;

/**
 * Gives each unit without a cluster that of the nearest span: of the same constraint, else of the same identity, else of anyone.
 *
 * @returns axes (unit): cluster; -1 if no unit has one
 */
function followNearest({ units }: IdentityUnits, clusters: Int32Array): Int32Array {
  const placed = [...units.keys()].filter((unit) => clusters[unit]! >= 0);
  return clusters.map((cluster, unit) => {
    if (cluster >= 0) return cluster;
    const { span, identity, group } = units[unit]!;
    const ranked = (other: number): number => {
      const { identity: theirs, group: grouped } = units[other]!;
      if (group >= 0 && grouped === group) return 0;
      return theirs === identity ? 1 : 2;
    };
    let best = -1;
    const distance = (other: number): number => Math.abs(units[other]!.span - span);
    for (const other of placed) {
      if (best < 0 || ranked(other) < ranked(best) || (ranked(other) === ranked(best) && distance(other) < distance(best))) best = other;
    }
    return best < 0 ? -1 : clusters[best]!;
  });
}
