import { AgglomerativeClusterer } from '../clustering/agglomerativeClusterer';
import { constrainedRows, type ConstrainedRows, type LinkConstraints } from '../clustering/constraints';
import type { Dendrogram } from '../clustering/dendrogram';
import { EvidenceClusterer } from '../clustering/evidenceClusterer';
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
import type { EvidenceSettings, VbxClusteringOptions } from '../clustering/settings';
import { VbxClusterer } from '../clustering/vbxClusterer';
import { embeddingMasks } from '../embedding/mask';
import { firstFrameOf, type TimeGeometry } from '../segmentation/geometry';
import { VoxlaneError } from '../util/errors';
import { applyExclusiveMinDurations, applyMinDurations, type MinDurations, NO_MIN_DURATIONS } from './minDurations';
import { clusterVotes, countSpeakers, type DiscreteDiarization, mostHeard } from './reconstruct';
import { type IndexedTurn, turnConfidence, turnsOf } from './turns';

/** What a recording's windows hear, and the embeddings of those that were embedded. */
export interface SpreadInput {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN in windows that were not embedded. */
  readonly embeddings: Float32Array;
  readonly numSpeakers: number;
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  /** Axes (window), 1 where the window was embedded. */
  readonly embedded: Uint8Array;
  /** As the masks of the embedding have it. */
  readonly minCleanFrames: number;
}

/**
 * Embeddings for the windows between those that were embedded: windows overlap, so whoever talks in one talks in an
 * embedded one too, in the same frames. Each local speaker is given the mean embedding of the embedded local speakers
 * that share its frames, weighted by how many they share.
 *
 * @returns axes (window, local speaker, dimension); NaN for who shares no frame with anybody who has an embedding
 */
export function spreadEmbeddings(input: SpreadInput): Float32Array {
  const { activity, embeddings, embedded, minCleanFrames, numSpeakers, dimension, geometry } = input;
  const cells = geometry.framesPerWindow * numSpeakers;
  const numWindows = activity.length / cells;
  const reach = Math.ceil(geometry.windows.durationSeconds / geometry.windows.stepSeconds);
  const result = embeddings.slice();
  const masksOf = (window: number) =>
    embeddingMasks(activity.subarray(window * cells, (window + 1) * cells), numSpeakers, minCleanFrames);
  const constraintMasks = new Map<number, Uint8Array[]>();
  const sum = new Float64Array(dimension);
  for (let window = 0; window < numWindows; window++) {
    constraintMasks.delete(window - reach);
    if (embedded[window]) continue;
    const near: number[] = [];
    for (let other = Math.max(0, window - reach + 1); other < Math.min(numWindows, window + reach); other++) {
      if (embedded[other]) near.push(other);
    }
    for (const constraint of near) if (!constraintMasks.has(constraint)) constraintMasks.set(constraint, masksOf(constraint));
    for (const [speaker, mask] of masksOf(window).entries()) {
      sum.fill(0);
      let weight = 0;
      for (const constraint of near) {
        const shift = firstFrameOf(geometry, constraint) - firstFrameOf(geometry, window);
        for (const [other, otherMask] of constraintMasks.get(constraint)!.entries()) {
          const start = (constraint * numSpeakers + other) * dimension;
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

/** Frames in which both are on; `other` starts `shift` frames after `mask`, or before where it is negative. */
function sharedFrames(mask: Uint8Array, other: Uint8Array, shift: number): number {
  const end = Math.min(mask.length, other.length + shift);
  let count = 0;
  for (let frame = Math.max(0, shift); frame < end; frame++) count += mask[frame]! & other[frame - shift]!;
  return count;
}

/** How local speakers become people. */
export type ClusteringChoice =
  | ({ readonly method: 'agglomerative' } & ClusteringOptions)
  /** Wants a PLDA of the same embedding model. */
  | ({ readonly method: 'vbx' } & VbxClusteringOptions)
  /** Needs a two-covariance PLDA of the same embedding model. */
  | ({ readonly method: 'evidence' } & EvidenceSettings & SpeakerBounds);

/** What holds for a whole recording. */
export interface AssemblyOptions {
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly options: ClusteringChoice;
  /** Frames that must be a speaker's alone for them to stand for the speaker; see `minCleanFrames`. */
  readonly minCleanFrames: number;
  /** Shortest turns and gaps; absent: turns are as the frames have them. */
  readonly minDurations?: MinDurations;
}

export interface AssemblyInput extends AssemblyOptions {
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech. */
  readonly embeddings: Float32Array;
  /** Axes (window), 1 where the window was embedded; absent where all were. The others get a mean of those. */
  readonly embedded?: Uint8Array;
}

export interface Assembly extends Clusters {
  /** How many people talk; axes (recording frame). */
  readonly count: Uint8Array;
  readonly diarization: DiscreteDiarization;
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  /** What the turns' `confidence` is. */
  readonly confidenceKind: ConfidenceKind;
  /** How likely each number of speakers is, the most likely first; absent if the method does not tell. */
  readonly counts?: readonly CountScore[];
  /** Cluster of each entry of the constraints, -1 where none of its segments is heard; absent without constraints. */
  readonly constraintClusters?: readonly number[];
  readonly seconds: { readonly counting: number; readonly clustering: number; readonly reconstruction: number };
}

/**
 * Everything after the models: from what each window hears to who spoke when.
 *
 * Matches the end of `SpeakerDiarization.apply` of pyannote.audio 4.0.7.
 *
 * @param plda for the methods `vbx` and `evidence`
 * @throws VoxlaneError `options` where the method wants a PLDA and has none, or one of other embeddings
 */
export function assemble(input: AssemblyInput, plda: AnyPlda | null = null): Assembly {
  return new Assembler(input, plda).assemble(input.options);
}

interface Clusterer {
  /** The linkage, where it was made. */
  readonly dendrogram: Dendrogram | null;
  warm(): void;
  /** Does a piece of what another number of speakers would want. @returns whether there is more to do */
  anticipate(): boolean;
  cluster(bounds: SpeakerBounds, constrained: ConstrainedRows | null): JudgedClusters;
}

/**
 * `assemble` for one recording and any number of speakers, with or without constraints: what does not depend on these is done
 * once, so that another number costs a fraction of the first.
 */
export class Assembler {
  private readonly clusterer: Clusterer;
  private readonly table: VoiceTable;
  /** How many people talk, before there is a bound on them; axes (recording frame). */
  private readonly speakersPerFrame: Uint8Array;
  private readonly countingSeconds: number;
  /** Those that were given last, and what they came from. */
  private constrained: { readonly key: string; readonly rows: ConstrainedRows } | null = null;

  /**
   * @param plda for the methods `vbx` and `evidence`
   * @param known the linkage, where it was made before; one of other embeddings is not used
   * @throws VoxlaneError `options` where the method wants a PLDA and has none
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

  /** The linkage, where it was made. */
  get dendrogram(): Dendrogram | null {
    return this.clusterer.dendrogram;
  }

  /** Does now what every number of speakers wants. */
  warm(): void {
    this.clusterer.warm();
  }

  /** Does a piece of what another number of speakers would want, for when there is time. @returns whether there is more to do */
  anticipate(): boolean {
    return this.clusterer.anticipate();
  }

  /**
   * @param constraints seconds from the start of the first window
   * @param minDurations default: those of the input
   * @throws VoxlaneError `options` where the constraints speak of more people than there may be, or the PLDA is of other
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
    // No more people can talk at once than there are in the room. pyannote makes up speakers where more do than were found.
    const most = options.method === 'evidence' ? Math.min(bounds.maxSpeakers, clusters.centroids.length) : bounds.maxSpeakers;
    const count = this.speakersPerFrame.map((value) => Math.min(value, most));
    const stitch = { activity, hardClusters, numLocalSpeakers: numSpeakers, geometry };
    const votes = clusterVotes({ ...stitch, count });
    const diarization = mostHeard(votes, count);
    const exclusive = mostHeard(votes, count.map((value) => Math.min(value, 1)));
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
      ...(counts && { counts }),
      ...(constraintClusters && { constraintClusters }),
      seconds: {
        counting: this.countingSeconds,
        clustering: clusteringSeconds,
        reconstruction: secondsSince(clustered),
      },
    };
  }

  /** Null where no segment of the constraints is heard: they have no effect then. */
  private constraint(constraints: LinkConstraints): ConstrainedRows | null {
    if (constraints.length === 0) return null;
    const key = JSON.stringify(constraints);
    if (this.constrained?.key !== key) this.constrained = { key, rows: constrainedRows(constraints, this.table, this.input.geometry) };
    const { rows } = this.constrained;
    return rows.heard.length > 0 ? rows : null;
  }
}

function makeClusterer(
  table: VoiceTable,
  { options, embedded }: AssemblyInput,
  plda: AnyPlda | null,
  known: Dendrogram | null,
): Clusterer {
  if (options.method === 'agglomerative') return new AgglomerativeClusterer(table, options, known);
  if (options.method === 'vbx' && plda?.form === 'lda') return new VbxClusterer(table, plda, options, known);
  if (options.method === 'evidence' && plda?.form === 'two-covariance') {
    return new EvidenceClusterer(table, plda, options, embedded ?? null, known);
  }
  throw new VoxlaneError({
    code: 'options',
    problem: `The clustering ${options.method} was asked for with ${plda ? `a PLDA of the form ${plda.form}` : 'no PLDA'}`,
    expected: `a PLDA of the same embedding model, of the form ${options.method === 'vbx' ? 'lda' : 'two-covariance'}`,
    remedy: 'Name one in the settings of the preset',
  });
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;
