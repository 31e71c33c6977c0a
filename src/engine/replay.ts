import type { Dense } from '../clustering/linearAlgebra';
import type { LocalSpeakers } from '../clustering/localSpeakers';
import type { Plda } from '../clustering/plda';
import { COMMUNITY_1_CLUSTERING, type VbxClusteringOptions } from '../clustering/settings';
import { startResponsibilities } from '../clustering/vbx';
import { clusterByVbx, type VbxClusters, type VbxSteps } from '../clustering/vbxClusterer';
import { readNpyHeader, rowMajorBytes, unpackNpz } from '../compare/files/npy';
import { shapeText } from '../compare/tensor';
import { parseRttm, toRttm } from '../formats/rttm';
import type { TimeGeometry } from '../segmentation/geometry';
import { countSpeakers, type DiscreteDiarization, reconstruct } from '../timeline/reconstruct';
import { nameTurns, speakerLabels, type Turn, turnsOf } from '../timeline/turns';
import { decodeText } from '../util/decodeText';
import { BYTES_PER_ELEMENT, type ElementType } from '../util/elementTypes';
import { VoxlaneError } from '../util/errors';

/** An array of a capture, row-major, in float64: the comparison must be more precise than float32. */
export interface CaptureArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Limit with a margin: the float32 segmentations of a day at one window per second. */
const MAX_UNPACKED_BYTES = 1024 ** 3;

type ReadElement = (view: DataView, at: number) => number;

/** Element types that numpy uses for pyannote's arrays. */
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
 * @param name name of the file, for errors
 * @throws VoxlaneError `format` if it cannot be read
 */
function readArray(bytes: Uint8Array, name: string): CaptureArray {
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

/** Reads the arrays of an `.npz` file by name. @throws VoxlaneError `format` if it cannot be read */
function readArrays(bytes: Uint8Array, name: string): Map<string, CaptureArray> {
  const entries = unpackNpz(bytes, name, MAX_UNPACKED_BYTES);
  return new Map(entries.map((entry) => [entry.name, readArray(entry.bytes, `${name}:${entry.name}`)]));
}

/** Captured data of one run of pyannote's community-1; some arrays may be missing. */
interface Capture {
  readonly local: LocalSpeakers;
  readonly geometry: TimeGeometry;
  readonly options: VbxClusteringOptions;
  /** All later arrays by name. */
  readonly later: ReadonlyMap<string, CaptureArray>;
  readonly reference: { readonly uri: string; readonly turns: readonly Turn[] } | null;
}

/** The two required files. */
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

/** All files that {@link readCapture} reads. */
export const CAPTURE_FILES: readonly string[] = [
  EMBEDDINGS_FILE,
  SEGMENTATIONS_FILE,
  ...LATER_ARCHIVES,
  LABELS_FILE,
  REFERENCE_FILE,
];

/** Array name of `ahc_init_labels.npy`. */
const LABELS_ARRAY = 'ahc_init_labels';

/**
 * Reads the files of a capture. Its settings replace those of community-1; its times replace `geometry`.
 *
 * @param files existing files of {@link CAPTURE_FILES} by name
 * @throws VoxlaneError `format` if one of the two required files is missing, a file is damaged, or shapes do not match
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
    const problem = array ? `The array ${name} in ${file} has the shape ${shapeText(array.shape)}` : `${file} has no array ${name}`;
    throw unreadable(problem, 'an array with three axes');
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
      'the same number of windows and local speakers in both',
    );
  }
  if (!segmentations.data.every((value) => value === 0 || value === 1)) {
    throw unreadable('The segmentations have values other than 0 and 1', 'the decoded powerset: the active speakers');
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
    if (value !== 0) throw unreadable(`The capture has ${name} ${value}`, '0: other values are not supported');
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
  if (others.length > 0) throw unreadable(`${REFERENCE_FILE} has ${recordings.length} recordings`, 'one');
  return first ? { uri: first[0], turns: first[1] } : null;
}

function unreadable(problem: string, expected: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem,
    expected,
    remedy: "Capture pyannote's community-1 pipeline again with its hook",
  });
}

/** Unit of a difference. */
export type DifferenceUnit =
  /** Relative to the maximum magnitude in the capture. */
  | 'relative'
  | 'absolute'
  /** Number of differing values. */
  | 'values'
  | 'seconds';

/** Deviation of one stage from the capture. */
export interface StageDifference {
  /** Name of the array in the capture, or `rttm`. */
  readonly stage: string;
  readonly unit: DifferenceUnit;
  /** Maximum difference; infinite if shapes, NaN or turns do not match. */
  readonly greatest: number;
  /** Tolerance. */
  readonly limit: number;
  readonly agrees: boolean;
  /** A mismatch that has no number; empty if every value has a counterpart. */
  readonly remark: string;
}

/** Computed values, for comparison with a capture. */
interface Computed {
  readonly stage: string;
  readonly unit: Exclude<DifferenceUnit, 'seconds'>;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly limit: number;
}

/** Compares one array; NaN equals only NaN. */
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
    if (Number.isNaN(found) !== Number.isNaN(expected)) return judge(Infinity, `NaN at value ${index} on one side only`);
    if (Number.isNaN(expected)) continue;
    if (found !== expected) numOther++;
    greatest = Math.max(greatest, Math.abs(found - expected));
    magnitude = Math.max(magnitude, Math.abs(expected));
  }
  if (unit === 'values') return judge(numOther);
  return judge(unit === 'relative' && magnitude > 0 ? greatest / magnitude : greatest);
}

/** Resolution of RTTM: half of the last digit on both sides is 1 ms. */
const MILLISECOND = 0.001;
/** Rounding error of sums of decimal seconds in binary. */
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

/** Result of a replay. */
interface Replay {
  readonly clusters: VbxClusters;
  readonly rttm: string;
  /** One for each later array of the capture, in the order of the stages. */
  readonly differences: readonly StageDifference[];
}

/** Both sides use float64: only the order of sums differs, over up to 20 iterations. */
const FLOAT_LIMIT = 1e-6;

/**
 * Runs all stages after the models, and compares each with the capture.
 *
 * @param uri name of the recording in the RTTM, if the capture has no reference with a name
 * @throws VoxlaneError `options` if the dimension of the embeddings is not that of the PLDA
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
    // Through text, so that both sides are rounded to milliseconds.
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
