import * as v from 'valibot';
import { describeIssue } from '../util/describeIssue';
import type { Dendrogram } from '../clustering/dendrogram';
import type { AssemblyFacts } from '../diarization/assemble';
import type { TimeGeometry } from '../timeline/geometry';
import type { MinDurations } from '../timeline/minDurations';
import { VoxlaneError } from '../util/errors';
import type { Engine } from './engine';
import type { CheckedRunOptions } from './options';
import { assemblyFacts } from './preview';
import type { ClusteringSettings, PresetId, Speed } from './settings';

/** A model's file. */
export interface KeptModel {
  /** As the manifest calls the model. */
  readonly id: string;
  /** Of the file, 64 lower-case hex digits. */
  readonly sha256: string;
}

/**
 * What the models heard of one recording: enough to cluster it again with another number of speakers, without the
 * recording or the models. Plain data that `structuredClone` and IndexedDB take as it is; 45 MB for three hours.
 *
 * Made by {@link Diarizer.diarize} with `keepVoices`, for {@link Reclusterer.create}.
 */
export interface KeptVoices {
  /** Of this form; another one is not read. */
  readonly version: 1;
  /** The preset of the run. */
  readonly preset: PresetId;
  /** The speed of the run. */
  readonly speed: Speed;
  /** The segmentation model that ran. */
  readonly segmentation: KeptModel;
  /** The embedding model that ran. */
  readonly embedding: KeptModel;
  /** Where the first window starts in the recording. */
  readonly startSeconds: number;
  /** Local speakers of a window. */
  readonly numSpeakers: number;
  /** Size of one embedding. */
  readonly dimension: number;
  /** Where windows and frames lie, in seconds from the start of the first window. */
  readonly geometry: TimeGeometry;
  /** Frames that must be a speaker's alone for them to stand for the speaker. */
  readonly minCleanFrames: number;
  /** How local speakers become people, but for their number. */
  readonly clustering: ClusteringSettings;
  /** Shortest turns and gaps of the run; absent in what earlier releases kept, which had none. */
  readonly minDurations?: MinDurations;
  /** Axes (window, frame, local speaker), 0 or 1. */
  readonly activity: Uint8Array<ArrayBuffer>;
  /** Axes (window, local speaker, dimension), float32; NaN where there was too little speech, or it was not embedded. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** Axes (window), 1 where the window went through the embedding model. */
  readonly embedded: Uint8Array<ArrayBuffer>;
  /** The linkage of the run, which takes long of a long recording; null where there was nothing to link. */
  readonly dendrogram: Dendrogram | null;
}

const VERSION = 1;

/** Takes what the models heard out of the clustering worker: it moves, nothing is copied on the page's thread. */
export async function takeVoices(engine: Engine, options: CheckedRunOptions): Promise<KeptVoices> {
  const { settings, segmentationManifest, embeddingManifest } = engine;
  const { numSpeakers, dimension, geometry, minCleanFrames, minDurations } = assemblyFacts(engine, options);
  return {
    version: VERSION,
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

/** What the clustering worker is asked for of kept voices. */
export function keptFacts({ numSpeakers, dimension, geometry, minCleanFrames, clustering, minDurations }: KeptVoices): AssemblyFacts {
  const options = { ...clustering, minSpeakers: 1, maxSpeakers: Infinity };
  return { numSpeakers, dimension, geometry, minCleanFrames, options, ...(minDurations && { minDurations }) };
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());
const model = v.looseObject({ id: v.string(), sha256: v.string() });
const sliding = v.looseObject({ durationSeconds: finite, stepSeconds: finite });

/** What is read of kept voices. */
const voicesSchema = v.looseObject({
  version: v.literal(VERSION),
  segmentation: model,
  embedding: model,
  startSeconds: finite,
  numSpeakers: count,
  dimension: count,
  geometry: v.looseObject({ framesPerWindow: count, windows: sliding, frames: sliding }),
  minCleanFrames: finite,
  clustering: v.variant('method', [
    v.looseObject({ method: v.literal('agglomerative') }),
    v.looseObject({ method: v.picklist(['vbx', 'evidence']), plda: v.string() }),
  ]),
  minDurations: v.exactOptional(v.looseObject({ minDurationOn: finite, minDurationOff: finite })),
  activity: v.instance(Uint8Array),
  embeddings: v.instance(Float32Array),
  embedded: v.instance(Uint8Array),
  dendrogram: v.nullable(
    v.looseObject({ left: v.instance(Int32Array), right: v.instance(Int32Array), distances: v.instance(Float64Array) }),
  ),
});

/**
 * Kept voices come back from a store that another release may have written, or lost a part of.
 *
 * @param voices anything
 * @throws VoxlaneError `options` where it is of another version, lacks a part, has one of another form, or where the
 *   arrays do not fit each other
 */
export function checkVoices(voices: unknown): void {
  const parsed = v.safeParse(voicesSchema, voices);
  if (!parsed.success) throw unusable(`${v.getDotPath(parsed.issues[0]) ?? 'they'}: ${describeIssue(parsed.issues[0])}`);
  const { numSpeakers, dimension, geometry, activity, embeddings, embedded } = parsed.output;
  const numWindows = embedded.length;
  const isWhole =
    activity.length === numWindows * geometry.framesPerWindow * numSpeakers &&
    embeddings.length === numWindows * numSpeakers * dimension;
  if (isWhole) return;
  throw unusable(`${numWindows} windows, ${activity.length} cells of activity and ${embeddings.length} numbers of embeddings`);
}

function unusable(what: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The kept voices cannot be used: ${what}`,
    expected: `voices of version ${VERSION}, whole, with arrays of as many windows`,
    remedy: 'Diarize the recording again',
  });
}
