import { AgglomerativeClusterer } from '../clustering/agglomerativeClusterer';
import { constrainedIdentities, constrainedRows, type ConstrainedRows, type LinkConstraints } from '../clustering/constraints';
import type { Dendrogram } from '../clustering/dendrogram';
import { EvidenceClusterer } from '../clustering/evidenceClusterer';
import { IdentityClusterer } from '../clustering/identityClusterer';
import {
  type ClusteringOptions,
  type Clusters,
  type ConfidenceKind,
  type CountScore,
  type JudgedClusters,
  type SpeakerBounds,
  VoiceTable,
} from '../clustering/localSpeakers';
import type { AnyPlda } from '../clustering/plda';
import type { EvidenceSettings, IdentitySettings, VbxClusteringOptions } from '../clustering/settings';
import { VbxClusterer } from '../clustering/vbxClusterer';
import { embeddingMasks } from '../embedding/mask';
import { firstFrameOf, type TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import { identityTimeline } from './identityTimeline';
import { applyExclusiveMinDurations, applyMinDurations, type MinDurations, NO_MIN_DURATIONS } from './minDurations';
import { clusterVotes, countSpeakers, type DiscreteDiarization, mostHeard } from './reconstruct';
import { type IndexedTurn, turnConfidence, turnsOf } from './turns';

/** Activity in all windows, and the embeddings of the embedded windows. */
interface SpreadInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN in windows that were not embedded. */
  readonly embeddings: Float32Array;
  readonly numSpeakers: number;
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  /** Axes (window): 1 if the window was embedded. */
  readonly embedded: Uint8Array;
  /** The same value as for the embedding masks. */
  readonly minCleanFrames: number;
}

/**
 * Fills in embeddings of the windows between the embedded ones, and of speakers who were left to another embedded window: see
 * `coreMask`. Windows overlap, so a speaker in one window is usually also active in an embedded window, in the same frames. Each
 * local speaker gets the mean embedding of the embedded local speakers that are active in the same frames, weighted by the number
 * of shared frames.
 *
 * @returns axes (window, local speaker, dimension); NaN for a local speaker that shares no frame with an embedded one
 */
export function spreadEmbeddings(input: SpreadInput): Float32Array {
  const { activity, embeddings, embedded, minCleanFrames, numSpeakers, dimension, geometry } = input;
  const cells = geometry.framesPerWindow * numSpeakers;
  const numWindows = activity.length / cells;
  const reach = Math.ceil(geometry.windows.durationSeconds / geometry.windows.stepSeconds);
  const result = embeddings.slice();
  const masksOf = (window: number) =>
    embeddingMasks(activity.subarray(window * cells, (window + 1) * cells), numSpeakers, minCleanFrames);
  const embeddedMasks = new Map<number, Uint8Array[]>();
  const sum = new Float64Array(dimension);
  for (let window = 0; window < numWindows; window++) {
    embeddedMasks.delete(window - reach);
    const missing = [...masksOf(window).entries()].filter(([speaker, mask]) => {
      if (!embedded[window]) return true;
      // A speaker with less speech has no embedding with `exact` either.
      return Number.isNaN(embeddings[(window * numSpeakers + speaker) * dimension]!) && countOf(mask) > minCleanFrames;
    });
    if (missing.length === 0) continue;
    const near: number[] = [];
    for (let other = Math.max(0, window - reach + 1); other < Math.min(numWindows, window + reach); other++) {
      if (embedded[other] && other !== window) near.push(other);
    }
    for (const other of near) if (!embeddedMasks.has(other)) embeddedMasks.set(other, masksOf(other));
    for (const [speaker, mask] of missing) {
      sum.fill(0);
      let weight = 0;
      for (const source of near) {
        const shift = firstFrameOf(geometry, source) - firstFrameOf(geometry, window);
        for (const [other, otherMask] of embeddedMasks.get(source)!.entries()) {
          const start = (source * numSpeakers + other) * dimension;
          if (Number.isNaN(embeddings[start]!)) continue;
          const shared = sharedFrames(mask, otherMask, shift);
          weight += shared;
          for (let i = 0; i < dimension && shared > 0; i++) sum[i]! += shared * embeddings[start + i]!;
        }
      }
      const row = (window * numSpeakers + speaker) * dimension;
      for (let i = 0; i < dimension; i++) result[row + i] = weight > 0 ? sum[i]! / weight : NaN;
    }
  }
  return result;
}

const countOf = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0);

/** Number of frames in which both masks are 1; `other` starts `shift` frames after `mask` (before it if negative). */
function sharedFrames(mask: Uint8Array, other: Uint8Array, shift: number): number {
  const end = Math.min(mask.length, other.length + shift);
  let count = 0;
  for (let frame = Math.max(0, shift); frame < end; frame++) count += mask[frame]! & other[frame - shift]!;
  return count;
}

/** Clustering method and its settings. */
export type ClusteringChoice =
  | ({ readonly method: 'agglomerative' } & ClusteringOptions)
  /** Requires a PLDA of the same embedding model. */
  | ({ readonly method: 'vbx' } & VbxClusteringOptions)
  /** Requires a two-covariance PLDA of the same embedding model. */
  | ({ readonly method: 'evidence' } & EvidenceSettings & SpeakerBounds)
  /** For local speakers that are the same in all windows. Requires a two-covariance PLDA of the same embedding model. */
  | ({ readonly method: 'identities' } & IdentitySettings & SpeakerBounds);

/** Options that apply to a whole recording. */
export interface AssemblyOptions {
  /** Local speakers per window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly options: ClusteringChoice;
  /** Minimum number of frames without overlap for masks to use only these frames; see `minCleanFrames`. */
  readonly minCleanFrames: number;
  /** Minimum durations of turns and gaps; absent: turns follow the frames exactly. */
  readonly minDurations?: MinDurations;
}

export interface AssemblyInput extends AssemblyOptions {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN if there is too little speech. */
  readonly embeddings: Float32Array;
  /** Axes (window): 1 if the window was embedded; absent if all were. The others get a mean of the embedded ones. */
  readonly embedded?: Uint8Array;
  /** Axes (window, frame): the local speaker with the highest score. Used by the method `identities`, without it for exclusive turns of the first active one. */
  readonly strongest?: Uint8Array;
}

export interface Assembly extends Clusters {
  /** Number of active speakers; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  /** Kind of the turns' `confidence`. */
  readonly confidenceKind: ConfidenceKind;
  /** Order of the labels: that of the first turns, or of the cluster indices as text, as in pyannote. */
  readonly labelOrder: 'turns' | 'clusters';
  /** Likelihood of each number of speakers, the most likely first; absent if the method does not estimate it. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each constraint, -1 if no local speaker matches it; absent without constraints. */
  readonly constraintClusters?: readonly number[];
  readonly seconds: { readonly counting: number; readonly clustering: number; readonly reconstruction: number };
}

/**
 * Runs all steps after the models: clustering, reconstruction, and turns.
 *
 * Matches the end of `SpeakerDiarization.apply` of pyannote.audio 4.0.7.
 *
 * @param plda required by the methods `vbx` and `evidence`
 * @throws VoxlaneError `options` if the method requires a PLDA and there is none, or if the PLDA does not match the embeddings
 */
export function assemble(input: AssemblyInput, plda: AnyPlda | null = null): Assembly {
  return new Assembler(input, plda).assemble(input.options);
}

interface Clusterer {
  /** The linkage; null before it is computed. */
  readonly dendrogram: Dendrogram | null;
  warm(): void;
  /** Computes one step for another number of speakers in advance. @returns whether there is more to do */
  anticipate(): boolean;
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null): JudgedClusters;
}

/**
 * `assemble` for one recording, several speaker bounds, and optional constraints. Work that does not depend on them is done
 * once, so further calls cost a fraction of the first.
 */
export class Assembler {
  private readonly clusterer: Clusterer;
  private readonly table: VoiceTable;
  /** Number of active speakers before bounds are applied; axes (recording frame). */
  private readonly speakersPerFrame: Uint8Array;
  private readonly countingSeconds: number;
  /** Rows of the most recent constraints, and the constraints as a key. */
  private constrained: { readonly key: string; readonly rows: ConstrainedRows } | null = null;

  /**
   * @param plda required by the methods `vbx` and `evidence`
   * @param known a linkage computed earlier, if there is one; ignored if it belongs to other embeddings
   * @throws VoxlaneError `options` if the method requires a PLDA and there is none
   */
  constructor(
    private readonly input: AssemblyInput,
    plda: AnyPlda | null = null,
    known: Dendrogram | null = null,
  ) {
    const { activity, numSpeakers, dimension, geometry } = input;
    const start = performance.now();
    this.speakersPerFrame = countSpeakers(activity, numSpeakers, geometry);
    this.countingSeconds = secondsSince(start);
    const numFrames = geometry.framesPerWindow;
    const numWindows = activity.length / (numFrames * numSpeakers);
    const embeddings = input.embedded?.includes(0) ? spreadEmbeddings({ ...input, embedded: input.embedded }) : input.embeddings;
    this.table = new VoiceTable({ activity, embeddings, numWindows, numFrames, numSpeakers, dimension });
    this.clusterer = makeClusterer(this.table, input, plda, known);
  }

  /** The linkage; null before it is computed. */
  get dendrogram(): Dendrogram | null {
    return this.clusterer.dendrogram;
  }

  /** Computes in advance the part that does not depend on the number of speakers. */
  warm(): void {
    this.clusterer.warm();
  }

  /** Computes one step for another number of speakers in advance; call this when idle. @returns whether there is more to do */
  anticipate(): boolean {
    return this.clusterer.anticipate();
  }

  /**
   * @param constraints seconds from the start of the first window
   * @param minDurations default: those of the input
   * @throws VoxlaneError `options` if there are more constrained speakers than `maxSpeakers`, or if the PLDA does not match the
   * embeddings
   */
  assemble(
    bounds: SpeakerBounds,
    constraints: LinkConstraints = [],
    minDurations: MinDurations = this.input.minDurations ?? NO_MIN_DURATIONS,
  ): Assembly {
    const { activity, numSpeakers, geometry, options } = this.input;
    const start = performance.now();
    const clusters = this.clusterer.cluster(bounds, this.constraint(constraints));
    const clusteringSeconds = secondsSince(start);

    const clustered = performance.now();
    const { hardClusters, confidences } = clusters;
    const stitch = { activity, hardClusters, numLocalSpeakers: numSpeakers, geometry };
    const { count, diarization, exclusive } = options.method === 'identities' ? this.renamed(hardClusters) : this.stitched(clusters, bounds);
    const judged = (turns: readonly IndexedTurn[]): IndexedTurn[] =>
      turns.map((turn) => ({ ...turn, confidence: turnConfidence(turn, { ...stitch, confidences }) }));
    const turns = judged(applyMinDurations(turnsOf(diarization, geometry.frames), minDurations));
    const exclusiveTurns = judged(applyExclusiveMinDurations(turnsOf(exclusive, geometry.frames), minDurations));
    const { centroids, confidenceKind, counts, constraintClusters } = clusters;
    return {
      hardClusters,
      centroids,
      count,
      diarization,
      turns,
      exclusiveTurns,
      confidenceKind,
      labelOrder: options.method === 'identities' ? 'turns' : 'clusters',
      ...(counts && { counts }),
      ...(constraintClusters && { constraintClusters }),
      seconds: {
        counting: this.countingSeconds,
        clustering: clusteringSeconds,
        reconstruction: secondsSince(clustered),
      },
    };
  }

  private stitched({ hardClusters, centroids }: Clusters, { maxSpeakers }: SpeakerBounds): ReturnType<typeof identityTimeline> {
    const { activity, numSpeakers, geometry, options } = this.input;
    // The number of active speakers cannot exceed the number of speakers found. pyannote adds silent speakers in that case.
    const most = options.method === 'evidence' ? Math.min(maxSpeakers, centroids.length) : maxSpeakers;
    const count = this.speakersPerFrame.map((value) => Math.min(value, most));
    const votes = clusterVotes({ activity, hardClusters, numLocalSpeakers: numSpeakers, geometry, count });
    return { count, diarization: mostHeard(votes, count), exclusive: mostHeard(votes, count.map((value) => Math.min(value, 1))) };
  }

  private renamed(hardClusters: Int32Array): ReturnType<typeof identityTimeline> {
    const { activity, numSpeakers, geometry, strongest } = this.input;
    return identityTimeline({ activity, strongest, hardClusters, numIdentities: numSpeakers, geometry });
  }

  /** Null if no local speaker matches the constraints, which then have no effect. */
  private constraint(constraints: LinkConstraints): ConstrainedRows | null {
    if (constraints.length === 0) return null;
    const key = JSON.stringify(constraints);
    const { options, geometry } = this.input;
    const find = options.method === 'identities' ? constrainedIdentities : constrainedRows;
    if (this.constrained?.key !== key) this.constrained = { key, rows: find(constraints, this.table, geometry) };
    const { rows } = this.constrained;
    return rows.heard.length > 0 ? rows : null;
  }
}

function makeClusterer(
  table: VoiceTable,
  { options, embedded, embeddings, geometry }: AssemblyInput,
  plda: AnyPlda | null,
  known: Dendrogram | null,
): Clusterer {
  if (options.method === 'agglomerative') return new AgglomerativeClusterer(table, options, known);
  if (options.method === 'vbx' && plda?.form === 'lda') return new VbxClusterer(table, plda, options, known);
  if (options.method === 'evidence' && plda?.form === 'two-covariance') {
    // Before the others were filled in.
    const rows = Uint8Array.from(table.rows, (_, row) => (Number.isNaN(embeddings[row * table.local.dimension]!) ? 0 : 1));
    return new EvidenceClusterer(table, plda, options, embedded ? { windows: embedded, rows } : null, known);
  }
  if (options.method === 'identities' && plda?.form === 'two-covariance') return new IdentityClusterer(table, plda, options, geometry.frames.stepSeconds);
  throw new VoxlaneError({
    code: 'options',
    problem: `The clustering method ${options.method} was requested with ${plda ? `a PLDA of the form ${plda.form}` : 'no PLDA'}`,
    expected: `a PLDA of the same embedding model, of the form ${options.method === 'vbx' ? 'lda' : 'two-covariance'}`,
    remedy: 'Specify one in the settings of the preset',
  });
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;
