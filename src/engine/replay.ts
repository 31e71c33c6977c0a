import type { Dense } from '../clustering/linearAlgebra';
import type { LocalSpeakers } from '../clustering/localSpeakers';
import type { Plda } from '../clustering/plda';
import { COMMUNITY_1_CLUSTERING, type VbxClusteringOptions } from '../clustering/settings';
import { startResponsibilities } from '../clustering/vbx';
import { clusterByVbx, type VbxClusters, type VbxSteps } from '../clustering/vbxClusterer';
import { BYTES_PER_ELEMENT, type ElementType } from '../compare/files/elements';
import { readNpyHeader, rowMajorBytes, unpackNpz } from '../compare/files/npy';
import { shapeText } from '../compare/tensor';
import { parseRttm, toRttm } from '../formats/rttm';
import type { TimeGeometry } from '../segmentation/geometry';
import { countSpeakers, type DiscreteDiarization, reconstruct } from '../timeline/reconstruct';
import { nameTurns, speakerLabels, type Turn, turnsOf } from '../timeline/turns';
import { decodeText } from '../util/decodeText';
import { VoxlaneError } from '../util/errors';

/** An array of a capture, row-major, in float64: the comparison must not lose what float32 would. */
export interface CaptureArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Segmentations of a day at one window a second, in float32, and then some. */
const MAX_UNPACKED_BYTES = 1024 ** 3;

type ReadElement = (view: DataView, at: number) => number;

/** What numpy stores of pyannote's arrays. */
const READERS: Partial<Record<ElementType, ReadElement>> = {
  bool: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  uint8: (view, at) => view.getUint8(at),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

/**
 * Reads a `.npy` file without loss.
 *
 * @param name of the file, for the error
 * @throws VoxlaneError `format` where it cannot be read
 */
export function readArray(bytes: Uint8Array, name: string): CaptureArray {
  const header = readNpyHeader(bytes, name);
  const read = READERS[header.type];
  if (!read) {
    throw new VoxlaneError({
      code: 'format',
      problem: `${name} has the dtype ${header.dtype}`,
      expected: Object.keys(READERS).join(', '),
    });
  }
  const values = rowMajorBytes(header);
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const size = BYTES_PER_ELEMENT[header.type];
  return {
    shape: header.shape,
    data: Float64Array.from({ length: values.length / size }, (_, index) => read(view, index * size)),
  };
}

/** Reads the arrays of an `.npz` file by name. @throws VoxlaneError `format` where it cannot be read */
export function readArrays(bytes: Uint8Array, name: string): Map<string, CaptureArray> {
  const entries = unpackNpz(bytes, name, MAX_UNPACKED_BYTES);
  return new Map(entries.map((entry) => [entry.name, readArray(entry.bytes, `${name}:${entry.name}`)]));
}

/** What was captured of one run of pyannote's community-1, as far as the files are there. */
export interface Capture {
  readonly local: LocalSpeakers;
  readonly geometry: TimeGeometry;
  readonly options: VbxClusteringOptions;
  /** Every later array by its name in the capture. */
  readonly later: ReadonlyMap<string, CaptureArray>;
  readonly reference: { readonly uri: string; readonly turns: readonly Turn[] } | null;
}

/** Without these two there is nothing to replay. */
const EMBEDDINGS_FILE = 'raw_embeddings.npz';
const SEGMENTATIONS_FILE = 'segmentations.npz';
const LATER_ARCHIVES = [
  'plda_embeddings.npz',
  'ahc_state.npz',
  'vbx_state.npz',
  'clustering.npz',
  'reconstruction.npz',
] as const;
const LABELS_FILE = 'ahc_init_labels.npy';
const REFERENCE_FILE = 'reference.rttm';

/** Every file that {@link readCapture} looks at. */
export const CAPTURE_FILES: readonly string[] = [
  EMBEDDINGS_FILE,
  SEGMENTATIONS_FILE,
  ...LATER_ARCHIVES,
  LABELS_FILE,
  REFERENCE_FILE,
];

/** Name of the array that `ahc_init_labels.npy` is. */
export const LABELS_ARRAY = 'ahc_init_labels';

/**
 * Reads the files of a capture. Settings that it holds replace those of community-1; times that it holds replace
 * `geometry`.
 *
 * @param files by name, those of {@link CAPTURE_FILES} that exist
 * @throws VoxlaneError `format` where one of the two first is missing, one is damaged, or shapes disagree
 */
export function readCapture(files: ReadonlyMap<string, Uint8Array>, geometry: TimeGeometry): Capture {
  const embeddings = requiredArray(files, EMBEDDINGS_FILE, 'embeddings');
  const segmentations = requiredArray(files, SEGMENTATIONS_FILE, 'segmentations');
  const later = laterArrays(files);
  const local = localSpeakers(embeddings, segmentations);
  return {
    local,
    geometry: geometryOf(later, { ...geometry, framesPerWindow: local.numFrames }),
    options: optionsOf(later),
    later,
    reference: referenceOf(files.get(REFERENCE_FILE)),
  };
}

function requiredArray(files: ReadonlyMap<string, Uint8Array>, file: string, name: string): CaptureArray {
  const bytes = files.get(file);
  if (!bytes) throw unreadable(`The capture has no ${file}`, `${EMBEDDINGS_FILE} and ${SEGMENTATIONS_FILE}`);
  const array = readArrays(bytes, file).get(name);
  if (array?.shape.length !== 3) {
    const found = array ? `the shape ${shapeText(array.shape)}` : 'no such array';
    throw unreadable(`${file} has for ${name} ${found}`, 'three axes');
  }
  return array;
}

function laterArrays(files: ReadonlyMap<string, Uint8Array>): Map<string, CaptureArray> {
  const later = new Map<string, CaptureArray>();
  for (const file of LATER_ARCHIVES) {
    const bytes = files.get(file);
    if (bytes) for (const [name, array] of readArrays(bytes, file)) later.set(name, array);
  }
  const labels = files.get(LABELS_FILE);
  if (labels) later.set(LABELS_ARRAY, readArray(labels, LABELS_FILE));
  return later;
}

function localSpeakers(embeddings: CaptureArray, segmentations: CaptureArray): LocalSpeakers {
  const [numWindows = 0, numFrames = 0, numSpeakers = 0] = segmentations.shape;
  const [embeddedWindows, embeddedSpeakers, dimension = 0] = embeddings.shape;
  if (numWindows !== embeddedWindows || numSpeakers !== embeddedSpeakers) {
    throw unreadable(
      `The embeddings have the shape ${shapeText(embeddings.shape)}, the segmentations ${shapeText(segmentations.shape)}`,
      'as many windows and local speakers in both',
    );
  }
  if (!segmentations.data.every((value) => value === 0 || value === 1)) {
    throw unreadable('The segmentations hold other values than 0 and 1', 'the powerset decoded: who is active');
  }
  return {
    activity: Uint8Array.from(segmentations.data),
    embeddings: Float32Array.from(embeddings.data),
    numWindows,
    numFrames,
    numSpeakers,
    dimension,
  };
}

function geometryOf(later: ReadonlyMap<string, CaptureArray>, otherwise: TimeGeometry): TimeGeometry {
  for (const name of ['min_duration_off', 'chunk_start', 'frame_start']) {
    const value = single(later, name, 0);
    if (value !== 0) throw unreadable(`The capture has ${name} ${value}`, '0: nothing else is implemented');
  }
  const { windows, frames } = otherwise;
  return {
    framesPerWindow: otherwise.framesPerWindow,
    windows: {
      durationSeconds: single(later, 'chunk_duration', windows.durationSeconds),
      stepSeconds: single(later, 'chunk_step', windows.stepSeconds),
    },
    frames: {
      durationSeconds: single(later, 'frame_duration', frames.durationSeconds),
      stepSeconds: single(later, 'frame_step', frames.stepSeconds),
    },
  };
}

function optionsOf(later: ReadonlyMap<string, CaptureArray>): VbxClusteringOptions {
  const usual = COMMUNITY_1_CLUSTERING;
  return {
    ...usual,
    threshold: single(later, 'threshold', usual.threshold),
    fa: single(later, 'fa', usual.fa),
    fb: single(later, 'fb', usual.fb),
    maxIterations: single(later, 'max_iters', usual.maxIterations),
    minSpeakers: 1,
    maxSpeakers: Infinity,
  };
}

const single = (later: ReadonlyMap<string, CaptureArray>, name: string, otherwise: number): number =>
  later.get(name)?.data[0] ?? otherwise;

function referenceOf(bytes: Uint8Array | undefined): Capture['reference'] {
  if (!bytes) return null;
  const recordings = [...parseRttm(decodeText(bytes, REFERENCE_FILE).text)];
  const [first, ...others] = recordings;
  if (others.length > 0) throw unreadable(`${REFERENCE_FILE} holds ${recordings.length} recordings`, 'one');
  return first ? { uri: first[0], turns: first[1] } : null;
}

function unreadable(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem,
    expected,
    remedy: "Capture pyannote's community-1 pipeline again, with its hook",
  });
}

/** What a difference counts. */
export type DifferenceUnit =
  /** Of the greatest magnitude in the capture. */
  | 'relative'
  | 'absolute'
  /** Values that are not the same. */
  | 'values'
  | 'seconds';

/** How far one stage is from the capture. */
export interface StageDifference {
  /** Name of the array in the capture, or `rttm`. */
  readonly stage: string;
  readonly unit: DifferenceUnit;
  /** The greatest difference; infinite where shapes, NaN or turns do not match. */
  readonly greatest: number;
  /** Greatest difference that agrees. */
  readonly limit: number;
  readonly agrees: boolean;
  /** What does not match at all; empty where every value has its counterpart. */
  readonly remark: string;
}

/** Numbers as this project has them, to be compared with a capture's. */
export interface Computed {
  readonly stage: string;
  readonly unit: Exclude<DifferenceUnit, 'seconds'>;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly limit: number;
}

/** Compares one array; NaN agrees with NaN alone. */
export function arrayDifference({ stage, unit, shape, data, limit }: Computed, captured: CaptureArray): StageDifference {
  const judge = (greatest: number, remark = ''): StageDifference => {
    return { stage, unit, greatest, limit, agrees: greatest <= limit, remark };
  };
  if (shape.join() !== captured.shape.join()) {
    return judge(Infinity, `the shape is (${shape.join(', ')}), in the capture (${captured.shape.join(', ')})`);
  }
  let greatest = 0;
  let magnitude = 0;
  let numOther = 0;
  for (const [index, expected] of captured.data.entries()) {
    const found = data[index]!;
    if (Number.isNaN(found) !== Number.isNaN(expected)) return judge(Infinity, `NaN at value ${index} on one side alone`);
    if (Number.isNaN(expected)) continue;
    if (found !== expected) numOther++;
    greatest = Math.max(greatest, Math.abs(found - expected));
    magnitude = Math.max(magnitude, Math.abs(expected));
  }
  if (unit === 'values') return judge(numOther);
  return judge(unit === 'relative' && magnitude > 0 ? greatest / magnitude : greatest);
}

/** Seconds that RTTM cannot tell apart: half of its last digit on both sides would be one. */
const MILLISECOND = 0.001;
/** Sums of decimal seconds in binary. */
const ROUNDING_SECONDS = 1e-9;

/** Compares turns in order: the speakers must be the same, the times within a millisecond. */
export function turnDifference(found: readonly Turn[], expected: readonly Turn[]): StageDifference {
  const judge = (greatest: number, remark = ''): StageDifference => {
    const limit = MILLISECOND;
    return { stage: 'rttm', unit: 'seconds', greatest, limit, agrees: greatest <= limit + ROUNDING_SECONDS, remark };
  };
  if (found.length !== expected.length) {
    return judge(Infinity, `${found.length} turns, in the capture ${expected.length}`);
  }
  let greatest = 0;
  for (const [index, turn] of expected.entries()) {
    const { startSeconds, endSeconds, speaker } = found[index]!;
    if (speaker !== turn.speaker) {
      return judge(Infinity, `turn ${index + 1} is ${speaker}'s, in the capture ${turn.speaker}'s`);
    }
    greatest = Math.max(greatest, Math.abs(startSeconds - turn.startSeconds), Math.abs(endSeconds - turn.endSeconds));
  }
  return judge(greatest);
}

/** What became of a capture. */
export interface Replay {
  readonly clusters: VbxClusters;
  readonly rttm: string;
  /** One for each later array that the capture has, in the order of the stages. */
  readonly differences: readonly StageDifference[];
}

/** Float64 on both sides: what is left is the order of sums, over up to 20 iterations. */
const FLOAT_LIMIT = 1e-6;

/**
 * Runs everything that comes after the models, and compares each stage with what the capture has of it.
 *
 * @param uri name of the recording in the RTTM, where the capture has no reference that says one
 * @throws VoxlaneError `options` where the embeddings are not of the size that the PLDA takes
 */
export function replay(capture: Capture, plda: Plda, uri: string): Replay {
  const { local, geometry, options, later, reference } = capture;
  const count = countSpeakers(local.activity, local.numSpeakers, geometry);
  const clusters = clusterByVbx(local, plda, options);
  const stitch = { activity: local.activity, hardClusters: clusters.hardClusters, numLocalSpeakers: local.numSpeakers };
  const diarization = reconstruct({ ...stitch, count, geometry });
  const turns = turnsOf(diarization, geometry.frames);
  const rttm = toRttm(nameTurns(turns, speakerLabels(turns), 0), reference?.uri ?? uri);

  const computed = [
    ...(clusters.steps ? stepArrays(clusters.steps, plda, local.numSpeakers) : []),
    ...clusterArrays(clusters, local.numWindows),
    ...timelineArrays(count, diarization),
  ];
  const differences = computed.flatMap((array) => {
    const captured = later.get(array.stage);
    return captured ? [arrayDifference(array, captured)] : [];
  });
  if (reference) {
    // As text and back: both sides have then been rounded to milliseconds.
    const found = [...parseRttm(rttm).values()].flat();
    differences.push(turnDifference(found, reference.turns));
  }
  return { clusters, rttm, differences };
}

function stepArrays(steps: VbxSteps, plda: Plda, numSpeakers: number): Computed[] {
  const { trainRows, projection, startLabels, vbx } = steps;
  return [
    exact('train_chunk_idx', [trainRows.length], trainRows.map((row) => Math.floor(row / numSpeakers))),
    exact('train_speaker_idx', [trainRows.length], trainRows.map((row) => row % numSpeakers)),
    rows('post_xvec', 'relative', projection.discriminant),
    rows('post_plda', 'relative', projection.latent),
    float('phi', 'relative', [plda.betweenCovariance.length], plda.betweenCovariance),
    exact(LABELS_ARRAY, [startLabels.length], startLabels),
    rows('qinit', 'absolute', startResponsibilities(startLabels)),
    rows('q_final', 'absolute', vbx.responsibilities),
    float('sp_final', 'absolute', [vbx.priors.length], vbx.priors),
    float('elbo_trajectory', 'relative', [vbx.elbo.length], vbx.elbo),
  ];
}

function clusterArrays({ soft, assigned, centroids }: VbxClusters, numWindows: number): Computed[] {
  const { scores, numSpeakers, numClusters } = soft;
  return [
    float('soft_clusters', 'absolute', [numWindows, numSpeakers, numClusters], scores),
    exact('hard_clusters', [numWindows, numSpeakers], assigned),
    float('centroids', 'relative', [centroids.length, centroids[0]!.length], centroids.flatMap((row) => [...row])),
  ];
}

function timelineArrays(count: Uint8Array, { data, numSpeakers }: DiscreteDiarization): Computed[] {
  return [
    exact('count', [count.length, 1], count),
    exact('discrete_diarization', [count.length, numSpeakers], data),
  ];
}

const exact = (stage: string, shape: readonly number[], data: ArrayLike<number>): Computed => {
  return { stage, unit: 'values', shape, data, limit: 0 };
};

const float = (
  stage: string,
  unit: 'relative' | 'absolute',
  shape: readonly number[],
  data: ArrayLike<number>,
): Computed => {
  return { stage, unit, shape, data, limit: FLOAT_LIMIT };
};

const rows = (stage: string, unit: 'relative' | 'absolute', values: Dense): Computed =>
  float(stage, unit, [values.numRows, values.numColumns], values.data);
