import { expect, test } from 'vitest';
import { seeded } from '../../test/editing/synthetic';
import { INACTIVE } from './localSpeakers';
import { constrainedAmong, constrainedClusters } from './softClusters';

const NUM_WINDOWS = 400;
const NUM_SPEAKERS = 3;

test.each([2, 3, 5])('matches the search if all local speakers take part: %i clusters', (numClusters) => {
  const random = seeded(7);
  const scores = Float64Array.from({ length: NUM_WINDOWS * NUM_SPEAKERS * numClusters }, () => 2 * random());
  const soft = { scores, numSpeakers: NUM_SPEAKERS, numClusters };
  expect(constrainedAmong(soft, () => true)).toEqual(constrainedClusters(soft));
});

test.each([2, 5])('ignores local speakers that do not take part: %i clusters', (numClusters) => {
  const random = seeded(8);
  const numRows = NUM_WINDOWS * NUM_SPEAKERS;
  const takesPart = Array.from({ length: numRows }, () => random() < 0.6);
  const scores = Float64Array.from({ length: numRows * numClusters }, () => 2 * random());
  // A score below all others, as in pyannote for silent local speakers.
  const lowered = scores.map((score, i) => (takesPart[Math.floor(i / numClusters)] ? score : -1));
  const expected = constrainedClusters({ scores: lowered, numSpeakers: NUM_SPEAKERS, numClusters });
  const given = scores.map((score, i) => (takesPart[Math.floor(i / numClusters)] ? score : NaN));
  const actual = constrainedAmong({ scores: given, numSpeakers: NUM_SPEAKERS, numClusters }, (row) => takesPart[row]!);
  expect(actual).toEqual(expected.map((cluster, row) => (takesPart[row] ? cluster : INACTIVE)));
});

test('ranks NaN below all other scores', () => {
  const soft = { scores: Float64Array.of(NaN, 0.1, NaN, 0.2), numSpeakers: 2, numClusters: 2 };
  expect([...constrainedAmong(soft, () => true)]).toEqual([0, 1]);
});
