/** The assembly of identities, against the turns of the model itself. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../test/clustering/random';
import { bundledTwoCovariance } from '../../test/clustering/twoCovariance';
import { NEMOTRON_CLUSTERING } from '../clustering/settings';
import { ActivityBuilder } from '../sortformer/activity';
import { SpanWindows } from '../sortformer/spanWindows';
import { Assembler } from './assembler';
import { identityTimeline } from './identityTimeline';
import { NO_MIN_DURATIONS } from './minDurations';

const GEOMETRY = { windows: { durationSeconds: 0.04, stepSeconds: 0.04 }, frames: { durationSeconds: 0, stepSeconds: 0.01, stepsPerSecond: 100 }, framesPerWindow: 4 };

test('renames identities by window; two of one speaker are one, and overlaps remain', () => {
  // Axes (window, frame, identity).
  const activity = Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1);
  const strongest = Uint8Array.of(0, 1, 1, 0, 1, 0, 0, 1);
  const timeline = (...hardClusters: number[]) => identityTimeline({ activity, strongest, hardClusters: Int32Array.from(hardClusters), numIdentities: 2, geometry: GEOMETRY });
  const swapped = timeline(0, 1, 1, 0);
  expect([...swapped.diarization.data]).toEqual([1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 0]);
  expect([...swapped.exclusive.data]).toEqual([1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0]);
  expect([...swapped.count]).toEqual([1, 2, 1, 0, 2, 1, 0, 2, 0]);
  const merged = timeline(0, 0, 0, 0);
  expect([...merged.diarization.data]).toEqual([1, 1, 1, 0, 1, 1, 0, 1, 0]);
  expect(merged.exclusive).toEqual(merged.diarization);
  expect([...merged.count]).toEqual([...merged.diarization.data]);
});

/** Logits of identities that start and end at random; axes (frame, identity). */
function randomLogits(numFrames: number, numIdentities: number): Float32Array {
  const random = seededRandom(5);
  const level = new Float64Array(numIdentities).fill(-2);
  const logits = new Float32Array(numFrames * numIdentities);
  for (let frame = 0; frame < numFrames; frame++) {
    for (let identity = 0; identity < numIdentities; identity++) {
      if (random() < 0.03) level[identity] = 6 * random() - 4;
      logits[frame * numIdentities + identity] = level[identity]! + 0.4 * random();
    }
  }
  return logits;
}

test.each([NO_MIN_DURATIONS, { minDurationOn: 0.07, minDurationOff: 0.05 }])('without a requested number, the turns equal those of the model exactly: %j', (minDurations) => {
  const [numFrames, numIdentities, hopSamples, sampleRate] = [5003, 8, 160, 16_000];
  const logits = randomLogits(numFrames, numIdentities);
  const builder = new ActivityBuilder(0.5, numIdentities, { hopSamples, sampleRate }, minDurations);
  builder.push({ logits, numFrames, firstFrame: 0 });
  const spans = new SpanWindows({ framesPerWindow: 680, windowsPerSpan: 4, hopSamples, sampleRate }, numIdentities, 0.5);
  const windows = [...spans.decide({ logits, numFrames }), spans.finish()!];
  const joined = (part: 'activity' | 'strongest'): Uint8Array => Uint8Array.from(windows.flatMap((window) => [...window[part]]));
  const input = {
    activity: joined('activity'),
    strongest: joined('strongest'),
    embeddings: new Float32Array(windows.length * numIdentities * 192).fill(NaN),
    embedded: new Uint8Array(windows.length).fill(1),
    numSpeakers: numIdentities,
    dimension: 192,
    minCleanFrames: 10,
    minDurations,
    geometry: { windows: { durationSeconds: 6.8, stepSeconds: 6.8 }, frames: { durationSeconds: 0, stepSeconds: 0.01, stepsPerSecond: 100 }, framesPerWindow: 680 },
    options: { method: 'identities', plda: '', ...NEMOTRON_CLUSTERING, windowsPerSpan: 4, minSpeakers: 1, maxSpeakers: Infinity },
  } as const;
  const { turns, exclusiveTurns, labelOrder } = new Assembler(input, bundledTwoCovariance()).assemble(input.options);
  const expected = builder.result();
  const without = (all: typeof turns) => all.map(({ startSeconds, endSeconds, speakerIndex }) => ({ startSeconds, endSeconds, speakerIndex }));
  expect(expected.turns.length).toBeGreaterThan(200);
  expect(without(turns)).toEqual(expected.turns);
  expect(without(exclusiveTurns)).toEqual(expected.exclusiveTurns);
  expect(labelOrder).toBe('turns');
});
