import * as v from 'valibot';
import type { LinkConstraints } from '../clustering/constraints';
import { minCleanFrames } from '../embedding/mask';
import { timeGeometry } from '../segmentation/geometry';
import type { Assembly, AssemblyOptions } from '../timeline/assembler';
import type { MinDurations } from '../timeline/minDurations';
import { type IndexedTurn, labelsByTurn, nameTurns, speakerLabel, speakerLabels } from '../timeline/turns';
import { describeIssue } from '../util/describeIssue';
import { VoxlaneError } from '../util/errors';
import { withPresentNames } from '../util/formerNames';
import type { Engine } from './engine';
import type { CheckedRunOptions } from './options';
import type { KeptVoices, Preview, Speaker, Turn, UsedModel } from './types';

/** The parts of an assembly that naming requires. */
export interface NamelessTurns {
  readonly turns: readonly IndexedTurn[];
  readonly exclusiveTurns: readonly IndexedTurn[];
  readonly centroids: readonly Float64Array[];
  /** Default: `clusters`. */
  readonly labelOrder?: Assembly['labelOrder'];
  readonly constraintClusters?: readonly number[];
}

export interface NamedTurns {
  readonly turns: readonly Turn[];
  readonly exclusiveTurns: readonly Turn[];
  readonly speakers: readonly (Speaker & { readonly centroid: Float32Array })[];
}

/** Properties of centroids. */
export interface CentroidInfo {
  /** Dimension of the embeddings. */
  readonly dimension: number;
  /** SHA-256 of the embedding model. */
  readonly embeddingModel: string;
}

/** The model files used for a result of this engine, in the order of the stages. */
export function usedModels(
  engine: Pick<Engine, 'segmentationModel' | 'embeddingModel' | 'pldaModel'> & {
    readonly settings: Pick<Engine['settings'], 'segmentation' | 'embedding' | 'clustering'>;
  },
): UsedModel[] {
  const { settings, segmentationModel, embeddingModel, pldaModel } = engine;
  const { segmentation, embedding, clustering } = settings;
  return [
    { stage: 'segmentation', id: segmentation, sha256: segmentationModel },
    { stage: 'embedding', id: embedding, sha256: embeddingModel },
    ...(clustering.method !== 'agglomerative' && pldaModel !== null ? [{ stage: 'plda', id: clustering.plda, sha256: pldaModel } as const] : []),
  ];
}

/**
 * Names the speakers and shifts the turns to the start of the analyzed segment.
 *
 * @param assembly null if there is no speech
 */
export function nameSpeakers(
  assembly: NamelessTurns | null,
  startSeconds: number,
  facts: CentroidInfo,
  constraints: LinkConstraints = [],
): NamedTurns {
  const { turns: indexed, labelOrder = 'clusters' } = assembly ?? { turns: [] };
  const ordered = labelOrder === 'turns' ? labelsByTurn(indexed) : speakerLabels(indexed);
  const labels = constrainedLabels(ordered, assembly?.constraintClusters ?? [], constraints);
  const turns = nameTurns(indexed, labels, startSeconds);
  const seconds = new Map<string, number>();
  for (const turn of turns) seconds.set(turn.speaker, (seconds.get(turn.speaker) ?? 0) + (turn.endSeconds - turn.startSeconds));
  return {
    turns,
    exclusiveTurns: nameTurns(assembly?.exclusiveTurns ?? [], labels, startSeconds),
    speakers: [...labels].map(([cluster, label]) => ({
      label,
      centroid: centroidOf(assembly?.centroids[cluster], facts.dimension),
      embeddingModel: facts.embeddingModel,
      speechSeconds: seconds.get(label) ?? 0,
    })),
  };
}

/** Clusters of constraints get the labels of their constraints; the others get the lowest unused labels, in order. */
function constrainedLabels(
  labels: ReadonlyMap<number, string>,
  constraintClusters: readonly number[],
  constraints: LinkConstraints,
): ReadonlyMap<number, string> {
  if (constraints.length === 0) return labels;
  const given = new Map(constraintClusters.map((cluster, group) => [cluster, constraints[group]!.speaker]));
  const taken = new Set(constraints.map(({ speaker }) => speaker));
  let next = 0;
  const freeLabel = (): string => {
    for (;;) {
      const label = speakerLabel(next++);
      if (!taken.has(label)) return label;
    }
  };
  return new Map([...labels.keys()].map((cluster) => [cluster, given.get(cluster) ?? freeLabel()]));
}

/** A cluster without embeddings has a NaN centroid; a speaker beyond the clusters has none. */
function centroidOf(centroid: Float64Array | undefined, dimension: number): Float32Array {
  const isUsable = centroid && !centroid.some((value) => Number.isNaN(value));
  return isUsable ? Float32Array.from(centroid) : new Float32Array(dimension);
}

/**
 * Cosine similarity of the embeddings of two speakers, for example of two recordings.
 *
 * @returns -1 to 1; NaN if one of them has no embedding
 * @throws VoxlaneError `options` for embeddings of different models, which are not comparable, and for speakers of a preset
 *   without embeddings
 */
export function voiceSimilarity(one: Speaker, other: Speaker): number {
  if (one.embeddingModel !== other.embeddingModel) {
    throw new VoxlaneError({
      code: 'options',
      problem: `${one.label} uses the embedding model ${one.embeddingModel ?? 'none'}, ${other.label} uses ${other.embeddingModel ?? 'none'}`,
      expected: 'two speakers with the same embedding model',
      remedy: 'Diarize both recordings with the same preset',
    });
  }
  const [left, right] = [one.centroid, other.centroid];
  if (!left || !right) {
    throw new VoxlaneError({
      code: 'options',
      problem: `${one.label} and ${other.label} have no embeddings`,
      expected: 'speakers of a preset with embeddings',
      remedy: 'Diarize both recordings with such a preset, such as campplus',
    });
  }
  const dot = left.reduce((sum, value, index) => sum + value * right[index]!, 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}

/** Windows before the first preview: with fewer, clusters are not meaningful. */
const FIRST_WINDOWS = 30;
/** Growth of the analyzed part between previews. The geometric growth limits the total cost of clustering. */
const GROWTH = 1.5;
/** No preview after this fraction of the windows: the final result is near. */
const LAST_PART = 0.9;

/** Minimum durations of a run: the requested ones, by default those of the settings. */
export function minDurationsOf(
  { minDurations }: Pick<Engine['settings'], 'minDurations'>,
  { minDurationOn, minDurationOff }: Pick<CheckedRunOptions, 'minDurationOn' | 'minDurationOff'>,
): MinDurations {
  return {
    minDurationOn: minDurationOn ?? minDurations.minDurationOn,
    minDurationOff: minDurationOff ?? minDurations.minDurationOff,
  };
}

/** Options for the clustering worker. */
export function assemblyOptions(engine: Engine, run: CheckedRunOptions): AssemblyOptions {
  const { minSpeakers, maxSpeakers } = run;
  const { numFrames, windowSamples, powerset } = engine.segmentationManifest;
  const { embeddingSize, minSamples } = engine.embeddingManifest;
  return {
    numSpeakers: powerset.numSpeakers,
    dimension: embeddingSize,
    geometry: timeGeometry(engine.segmentationManifest),
    options: { ...engine.settings.clustering, minSpeakers, maxSpeakers },
    minCleanFrames: minCleanFrames(numFrames, windowSamples, minSamples),
    minDurations: minDurationsOf(engine.settings, run),
  };
}

/** Sends provisional results of the analyzed part while the models continue. */
export class Previewer {
  private nextWindows = FIRST_WINDOWS;
  private isBusy = false;
  private isOver = false;

  constructor(
    private readonly engine: Engine,
    private readonly options: CheckedRunOptions & { readonly onPreview: ((preview: Preview) => void) | undefined },
  ) {}

  /** Called with the current number of windows in the clustering worker. */
  offer(numWindows: number, expectedWindows: number): void {
    const { onPreview } = this.options;
    if (!onPreview || this.isBusy || numWindows < this.nextWindows || numWindows > LAST_PART * expectedWindows) return;
    this.isBusy = true;
    this.nextWindows = numWindows * GROWTH;
    this.preview(numWindows, onPreview)
      // A failure occurs again at the end, where it is reported.
      .catch(() => undefined)
      .finally(() => {
        this.isBusy = false;
      });
  }

  /** Ends the previews; a pending one is dropped, because the result is newer. */
  stop(): void {
    this.isOver = true;
  }

  private async preview(numWindows: number, onPreview: (preview: Preview) => void): Promise<void> {
    const { engine, options } = this;
    const assembly = await engine.clustering.call((api) => api.assemble(assemblyOptions(engine, options)));
    if (this.isOver) return;
    const turns = assembly?.turns ?? [];
    const { durationSeconds, stepSeconds } = timeGeometry(engine.segmentationManifest).windows;
    onPreview({
      analyzedSeconds: options.startSeconds + (numWindows - 1) * stepSeconds + durationSeconds,
      turns: nameTurns(turns, speakerLabels(turns), options.startSeconds),
    });
  }
}

export const VOICES_VERSION = 1;

/** Transfers the outputs of the models out of the clustering worker, without copies in the page's thread. */
export async function takeVoices(engine: Engine, options: CheckedRunOptions): Promise<KeptVoices> {
  const { settings, segmentationManifest, embeddingManifest } = engine;
  const { numSpeakers, dimension, geometry, minCleanFrames, minDurations } = assemblyOptions(engine, options);
  return {
    version: VOICES_VERSION,
    preset: settings.preset,
    speed: engine.speed,
    segmentation: { id: segmentationManifest.id, sha256: engine.segmentationModel },
    embedding: { id: embeddingManifest.id, sha256: engine.embeddingModel },
    startSeconds: options.startSeconds,
    numSpeakers,
    dimension,
    geometry,
    minCleanFrames,
    clustering: settings.clustering,
    ...(minDurations && { minDurations }),
    ...(await engine.clustering.call((api) => api.take())),
  };
}

/** Options for the clustering worker, from kept data. */
export function keptOptions({ numSpeakers, dimension, geometry, minCleanFrames, clustering, minDurations }: KeptVoices): AssemblyOptions {
  const options = { ...clustering, minSpeakers: 1, maxSpeakers: Infinity };
  return { numSpeakers, dimension, geometry, minCleanFrames, options, ...(minDurations && { minDurations }) };
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());
const model = v.looseObject({ id: v.string(), sha256: v.string() });
const sliding = v.looseObject({ durationSeconds: finite, stepSeconds: finite });

/** Schema of kept data. */
const voicesSchema = v.looseObject({
  version: v.literal(VOICES_VERSION),
  segmentation: model,
  embedding: model,
  startSeconds: finite,
  numSpeakers: count,
  dimension: count,
  geometry: v.looseObject({ framesPerWindow: count, windows: sliding, frames: sliding }),
  minCleanFrames: finite,
  clustering: v.variant('method', [
    v.looseObject({ method: v.literal('agglomerative') }),
    v.looseObject({ method: v.literal('vbx'), plda: v.string(), fa: finite, fb: finite }),
    v.looseObject({ method: v.literal('evidence'), plda: v.string() }),
    v.looseObject({ method: v.literal('identities'), plda: v.string(), windowsPerSpan: count }),
  ]),
  minDurations: v.exactOptional(v.looseObject({ minDurationOn: finite, minDurationOff: finite })),
  activity: v.instance(Uint8Array),
  embeddings: v.instance(Float32Array),
  embedded: v.instance(Uint8Array),
  strongest: v.exactOptional(v.instance(Uint8Array)),
  dendrogram: v.nullable(
    v.looseObject({ left: v.instance(Int32Array), right: v.instance(Int32Array), distances: v.instance(Float64Array) }),
  ),
});

/**
 * Validates kept data, which may come from another release or a damaged store.
 *
 * @param voices any value
 * @returns the voices, with the current names of settings
 * @throws VoxlaneError `options` if the version differs, a part is missing or malformed, or the sizes of the arrays do
 *   not match
 */
export function checkVoices(voices: unknown): KeptVoices {
  const present = withPresentSettings(voices);
  const parsed = v.safeParse(voicesSchema, present);
  if (!parsed.success) throw unusable(`${v.getDotPath(parsed.issues[0]) ?? 'they'}: ${describeIssue(parsed.issues[0])}`);
  const { numSpeakers, dimension, geometry, activity, embeddings, embedded, strongest } = parsed.output;
  const numWindows = embedded.length;
  const isWhole =
    activity.length === numWindows * geometry.framesPerWindow * numSpeakers &&
    (!strongest || strongest.length === numWindows * geometry.framesPerWindow) &&
    embeddings.length === numWindows * numSpeakers * dimension;
  if (isWhole) return present as KeptVoices;
  throw unusable(`${numWindows} windows, ${activity.length} cells of activity and ${embeddings.length} numbers of embeddings`);
}

/** Earlier releases named the settings of VBx differently. */
function withPresentSettings(voices: unknown): unknown {
  if (typeof voices !== 'object' || voices === null || !('clustering' in voices)) return voices;
  const { clustering } = voices;
  const isVbx = typeof clustering === 'object' && clustering !== null && 'likelihoodScale' in clustering;
  return isVbx ? { ...voices, clustering: withPresentNames(clustering, VBX_NAMES) } : voices;
}

const VBX_NAMES = { likelihoodScale: 'fa', speakerRegularisation: 'fb' };

function unusable(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The kept voices cannot be used: ${what}`,
    expected: `complete voices of version ${VOICES_VERSION}, with arrays of matching size`,
    remedy: 'Diarize the recording again',
  });
}
