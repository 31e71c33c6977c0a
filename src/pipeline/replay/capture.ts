import { COMMUNITY_1_CLUSTERING, type VbxClusteringOptions } from '../../clustering/vbxClustering';
import type { LocalSpeakers } from '../../clustering/cluster';
import { shapeText } from '../../compare/tensor';
import { parseRttm } from '../../formats/rttm';
import type { TimeGeometry } from '../../timeline/geometry';
import type { Turn } from '../../timeline/turn';
import { decodeText } from '../../util/decodeText';
import { VoxlaneError } from '../../util/errors';
import { readArray, readArrays, type CaptureArray } from './arrays';

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
    likelihoodScale: single(later, 'fa', usual.likelihoodScale),
    speakerRegularisation: single(later, 'fb', usual.speakerRegularisation),
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
