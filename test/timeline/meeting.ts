import { seededNormal, seededRandom } from '../clustering/random';
import { firstFrameOf, totalFrames, type TimeGeometry } from '../../src/segmentation/geometry';

/** Geometry of segmentation-3.0. */
export const GEOMETRY: TimeGeometry = {
  windows: { durationSeconds: 10, stepSeconds: 1 },
  frames: { durationSeconds: 991 / 16000, stepSeconds: 270 / 16000 },
  framesPerWindow: 589,
};
/** Local speakers of a window. */
const NUM_LOCAL = 3;

/** Simulated model outputs for a meeting, with the true speakers. */
export interface Meeting {
  readonly activity: Uint8Array<ArrayBuffer>;
  readonly embeddings: Float32Array<ArrayBuffer>;
  readonly embedded: Uint8Array<ArrayBuffer>;
  readonly numSpeakers: number;
  readonly dimension: number;
  readonly geometry: TimeGeometry;
  readonly minCleanFrames: number;
  /** Axes (recording frame): the main speaker, or -1. Other speakers sometimes interject. */
  readonly voiceOfFrame: Int32Array;
}

export interface MeetingSizes {
  readonly numWindows: number;
  readonly numVoices: number;
  readonly dimension: number;
  /** Length of the noise added to a voice vector of length 1 in each window. */
  readonly noise: number;
  readonly seed: number;
}

/** Maximum frames of a segment, and the fraction of segments with an interjection by a second voice. */
const LONGEST = 600;
const OVERLAP = 0.2;
/** Minimum frames for an embedding. */
const FEWEST = 30;

/** Voices with turns of random lengths, pauses and interjections. */
export function meeting({ numWindows, numVoices, dimension, noise, seed }: MeetingSizes): Meeting {
  const random = seededRandom(seed);
  const normal = seededNormal(seed + 1);
  const unit = (length: number): Float64Array => {
    const values = new Float64Array(dimension);
    for (let k = 0; k < dimension; k++) values[k] = normal();
    const norm = Math.hypot(...values);
    return values.map((value) => (length * value) / norm);
  };
  const voices = Array.from({ length: numVoices }, () => unit(1));
  const numFrames = totalFrames(GEOMETRY, numWindows);
  const voiceOfFrame = new Int32Array(numFrames).fill(-1);
  const secondOfFrame = new Int32Array(numFrames).fill(-1);
  for (let frame = 0; frame < numFrames; ) {
    const voice = Math.floor(random() * numVoices);
    const end = Math.min(numFrames, frame + 20 + Math.floor(LONGEST * random()));
    voiceOfFrame.fill(voice, frame, end);
    const second = Math.floor(random() * numVoices);
    if (random() < OVERLAP && second !== voice) secondOfFrame.fill(second, frame + Math.floor((end - frame) / 2), end);
    frame = end + Math.floor(60 * random());
  }

  const cells = GEOMETRY.framesPerWindow * NUM_LOCAL;
  const activity = new Uint8Array(numWindows * cells);
  const embeddings = new Float32Array(numWindows * NUM_LOCAL * dimension).fill(NaN);
  for (let window = 0; window < numWindows; window++) {
    const first = firstFrameOf(GEOMETRY, window);
    // Local speakers are numbered in order of appearance, starting at a random index.
    const offset = Math.floor(random() * NUM_LOCAL);
    const places = new Map<number, number>();
    const frames = new Int32Array(NUM_LOCAL);
    const placeOf = (voice: number): number | undefined => {
      if (!places.has(voice) && places.size < NUM_LOCAL) places.set(voice, (places.size + offset) % NUM_LOCAL);
      return places.get(voice);
    };
    for (let frame = 0; frame < GEOMETRY.framesPerWindow && first + frame < numFrames; frame++) {
      for (const voice of [voiceOfFrame[first + frame]!, secondOfFrame[first + frame]!]) {
        const place = voice < 0 ? undefined : placeOf(voice);
        if (place === undefined) continue;
        activity[window * cells + frame * NUM_LOCAL + place] = 1;
        frames[place]!++;
      }
    }
    for (const [voice, place] of places) {
      const change = unit(noise);
      if (frames[place]! < FEWEST) continue;
      const values = voices[voice]!.map((value, k) => value + change[k]!);
      embeddings.set(values, (window * NUM_LOCAL + place) * dimension);
    }
  }
  const embedded = new Uint8Array(numWindows).fill(1);
  const sizes = { numSpeakers: NUM_LOCAL, dimension, geometry: GEOMETRY, minCleanFrames: 10 };
  return { activity, embeddings, embedded, ...sizes, voiceOfFrame };
}
