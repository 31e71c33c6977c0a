import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SlidingWindow } from '../segmentation/geometry';
import { applyExclusiveMinDurations, applyMinDurations } from './minDurations';
import { turnsOf, type IndexedTurn } from './turns';

/** Frames of segmentation-3.0, as in the fixture script. */
const FRAMES: SlidingWindow = { durationSeconds: 991 / 16_000, stepSeconds: 270 / 16_000 };

interface Case {
  /** One string of 0 and 1 per speaker. */
  readonly activity: readonly string[];
  readonly results: readonly {
    readonly minDurationOn: number;
    readonly minDurationOff: number;
    readonly turns: readonly (readonly [number, number, number])[];
  }[];
}

const CASES = JSON.parse(readFileSync('src/timeline/fixtures/min_durations.json', 'utf8')) as Case[];

function turnsOfCase({ activity }: Case): IndexedTurn[] {
  const numSpeakers = activity.length;
  const data = Uint8Array.from({ length: activity[0]!.length * numSpeakers }, (_, i) =>
    Number(activity[i % numSpeakers]![Math.floor(i / numSpeakers)]),
  );
  return turnsOf({ data, numSpeakers }, FRAMES);
}

const plain = (turns: readonly IndexedTurn[]) => turns.map(({ startSeconds, endSeconds, speakerIndex }) => [startSeconds, endSeconds, speakerIndex]);

describe('minimum durations', () => {
  test.each(CASES.map((one) => ({ one, numSpeakers: one.activity.length })))(
    "match pyannote's turns exactly: $numSpeakers speakers",
    ({ one }) => {
      for (const { turns, ...durations } of one.results) {
        expect(plain(applyMinDurations(turnsOfCase(one), durations)), JSON.stringify(durations)).toEqual(turns);
      }
    },
  );

  test('change nothing if both are 0', () => {
    const turns = turnsOfCase(CASES[3]!);
    expect(applyMinDurations(turns, { minDurationOn: 0, minDurationOff: 0 })).toEqual(turns);
  });

  test('keep turns exclusive if they were exclusive', () => {
    const speech = fc.array(fc.record({ pause: fc.integer({ min: 0, max: 5 }), length: fc.integer({ min: 1, max: 9 }), speakerIndex: fc.integer({ min: 0, max: 2 }) }));
    const seconds = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(speech, seconds, seconds, (parts, minDurationOn, minDurationOff) => {
        let at = 0;
        const turns = parts.map(({ pause, length, speakerIndex }) => {
          const startSeconds = at + pause;
          at = startSeconds + length;
          return { startSeconds, endSeconds: at, speakerIndex };
        });
        const found = applyExclusiveMinDurations(turns, { minDurationOn, minDurationOff });
        found.forEach((turn, index) => {
          expect(turn.endSeconds - turn.startSeconds).toBeGreaterThanOrEqual(minDurationOn);
          const next = found[index + 1];
          if (!next) return;
          expect(next.startSeconds).toBeGreaterThanOrEqual(turn.endSeconds);
          if (next.speakerIndex === turn.speakerIndex) expect(next.startSeconds - turn.endSeconds).toBeGreaterThanOrEqual(minDurationOff);
        });
      }),
    );
  });

  test('do not fill a gap between exclusive turns while another speaker talks', () => {
    const turns = [
      { startSeconds: 0, endSeconds: 2, speakerIndex: 0 },
      { startSeconds: 2, endSeconds: 2.4, speakerIndex: 1 },
      { startSeconds: 2.4, endSeconds: 4, speakerIndex: 0 },
    ];
    expect(applyExclusiveMinDurations(turns, { minDurationOn: 0.3, minDurationOff: 1 })).toEqual(turns);
    // The turn in between is removed, so the gap can be filled.
    expect(applyExclusiveMinDurations(turns, { minDurationOn: 0.5, minDurationOff: 1 })).toEqual([{ startSeconds: 0, endSeconds: 4, speakerIndex: 0 }]);
  });
});
