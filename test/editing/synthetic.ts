import { nameTurns, speakerLabel, speakerLabels, type Turn, turnsOf } from '../../src/timeline/turns';
import { countSpeakers, reconstruct } from '../../src/timeline/reconstruct';
import type { TimeGeometry } from '../../src/segmentation/geometry';
import type { Annotation } from '../../src/editing/annotation';
import { annotationOf } from '../../src/editing/annotationOf';

/** Reproducible values from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Geometry of the bundled models with fewer frames. */
const GEOMETRY: TimeGeometry = {
  framesPerWindow: 59,
  windows: { durationSeconds: 1, stepSeconds: 0.1 },
  frames: { durationSeconds: 0.0619375, stepSeconds: 0.016875 },
};

/** A result computed by the pipeline's functions from random activity of local speakers. */
export function syntheticResult(seed: number, numWindows = 120): { readonly turns: Turn[]; readonly exclusiveTurns: Turn[] } {
  const random = seeded(seed);
  const numLocalSpeakers = 3;
  const activity = new Uint8Array(numWindows * GEOMETRY.framesPerWindow * numLocalSpeakers);
  const hardClusters = Int32Array.from({ length: numWindows * numLocalSpeakers }, () => Math.floor(random() * 4));
  for (let window = 0; window < numWindows; window++) {
    for (let local = 0; local < numLocalSpeakers; local++) {
      let active = random() < 0.3 ? 1 : 0;
      for (let frame = 0; frame < GEOMETRY.framesPerWindow; frame++) {
        if (random() < 0.05) active = 1 - active;
        activity[(window * GEOMETRY.framesPerWindow + frame) * numLocalSpeakers + local] = active;
      }
    }
  }
  const count = countSpeakers(activity, numLocalSpeakers, GEOMETRY);
  const stitch = { activity, hardClusters, numLocalSpeakers, geometry: GEOMETRY };
  const judged = (counted: Uint8Array) =>
    turnsOf(reconstruct({ ...stitch, count: counted }), GEOMETRY.frames).map((turn) => ({
      ...turn,
      confidence: random() < 0.1 ? null : random(),
    }));
  const turns = judged(count);
  const labels = speakerLabels(turns);
  return {
    turns: nameTurns(turns, labels, 0),
    exclusiveTurns: nameTurns(judged(count.map((value) => Math.min(value, 1))), labels, 0),
  };
}

/** An annotation with many turns, as dense as a lively conversation. One in five turns overlaps with the previous one. */
export function longAnnotation(numTurns: number, numSpeakers = 6, seed = 1): Annotation {
  const random = seeded(seed);
  const free = new Array<number>(numSpeakers).fill(0);
  let now = 0;
  const turns = Array.from({ length: numTurns }, () => {
    const index = Math.floor(random() * numSpeakers);
    const startSeconds = Math.max(now, free[index]! + 0.1);
    const endSeconds = startSeconds + 0.2 + random() * 3;
    now = random() < 0.2 ? startSeconds + 0.1 : endSeconds + random() * 0.3;
    free[index] = endSeconds;
    return { startSeconds, endSeconds, speaker: speakerLabel(index), confidence: random() };
  });
  const lastSeconds = Math.max(0, ...turns.map(({ endSeconds }) => endSeconds));
  return annotationOf(turns, [], [], lastSeconds + 1);
}
