import { expect, test } from 'vitest';
import { denseOf, type Dense } from './linearAlgebra';
import { nearestLater, sketchesOf, squareWithin } from './nearestLater';
import { alongPrincipalAxes } from './centroidLinkage';
import { seededNormal, seededRandom } from '../../test/clustering/random';
import { conversation } from '../../test/clustering/voices';

/** The two nearest later rows of each row, from all distances. */
function byAllDistances(rows: Dense): ReturnType<typeof nearestLater> {
  const numEarlier = rows.numRows - 1;
  const neighbors = new Int32Array(numEarlier);
  const distances = new Float64Array(numEarlier);
  const runnersUp = new Float64Array(numEarlier).fill(Infinity);
  for (let i = 0; i < numEarlier; i++) {
    const squares = Array.from({ length: numEarlier - i }, (_, k) => squareWithin(rows, i, i + 1 + k, Infinity));
    const least = Math.min(...squares);
    const nearest = squares.indexOf(least);
    neighbors[i] = i + 1 + nearest;
    distances[i] = Math.sqrt(least);
    runnersUp[i] = Math.sqrt(Math.min(...squares.filter((_, k) => k !== nearest)));
  }
  return { neighbors, distances, runnersUp };
}

const random = seededRandom(3);
const normal = seededNormal(4);
const plane = Array.from({ length: 1500 }, () => Float32Array.from([random(), random()]));
const spoken = conversation(1200, 192, 4, 5);

test.each([
  { name: 'points in a plane, where whole cells are skipped', points: plane },
  { name: 'embeddings of a conversation', points: spoken },
  { name: 'embeddings of a conversation, each of them twice', points: [...spoken.slice(0, 500), ...spoken.slice(0, 500)] },
  { name: 'noise', points: Array.from({ length: 500 }, () => Float32Array.from({ length: 100 }, normal)) },
])('finds the two nearest later rows: $name', ({ points }) => {
  const rows = alongPrincipalAxes(denseOf(points));
  expect(nearestLater(rows, sketchesOf(rows, 16))).toEqual(byAllDistances(rows));
});
