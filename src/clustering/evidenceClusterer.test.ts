import { describe, expect, test } from 'vitest';
import { seededNormal } from '../../test/clustering/random';
import { bundledTwoCovariance } from '../../test/clustering/twoCovariance';
import { INACTIVE, VoiceTable } from './localSpeakers';
import { EvidenceClusterer } from './evidenceClusterer';
import { CAMPPLUS_CLUSTERING } from './settings';

const PLDA = bundledTwoCovariance();
const ANY = { minSpeakers: 1, maxSpeakers: Infinity };
const NUM_FRAMES = 20;
const DIMENSION = 192;

/** Windows in which local speakers 0 and 1 talk one after the other with nearly equal embeddings, and 2 is silent. */
function tableOf(numWindows: number, hasSecond = true): VoiceTable {
  const normal = seededNormal(3);
  const voice = Float32Array.from({ length: DIMENSION }, normal);
  const activity = new Uint8Array(numWindows * NUM_FRAMES * 3);
  const embeddings = new Float32Array(numWindows * 3 * DIMENSION).fill(NaN);
  for (let window = 0; window < numWindows; window++) {
    for (let frame = 0; frame < NUM_FRAMES; frame++) activity[(window * NUM_FRAMES + frame) * 3 + (frame < 12 ? 0 : 1)] = 1;
    for (const local of hasSecond ? [0, 1] : [0]) {
      embeddings.set(voice.map((value) => value + 0.05 * normal()), (window * 3 + local) * DIMENSION);
    }
  }
  return new VoiceTable({ activity, embeddings, numWindows, numFrames: NUM_FRAMES, numSpeakers: 3, dimension: DIMENSION });
}

const cluster = (table: VoiceTable, bounds = ANY) => new EvidenceClusterer(table, PLDA, CAMPPLUS_CLUSTERING).cluster(bounds, null);

describe('clustering by evidence', () => {
  test.each([1, 2, 4, 49])('finds at least the speakers of one window in %i windows', (numWindows) => {
    const { centroids, hardClusters } = cluster(tableOf(numWindows));
    expect(centroids).toHaveLength(2);
    for (let window = 0; window < numWindows; window++) {
      expect(hardClusters[3 * window]).not.toBe(hardClusters[3 * window + 1]);
      expect(hardClusters[3 * window + 2]).toBe(INACTIVE);
    }
    expect(cluster(tableOf(numWindows), { minSpeakers: 1, maxSpeakers: 1 }).centroids).toHaveLength(1);
  });

  test('relies on the embeddings if there are many windows', () => {
    expect(cluster(tableOf(50)).centroids).toHaveLength(1);
  });

  test('leaves speech without an embedding unassigned; assigns all speech to one speaker if there is no embedding at all', () => {
    const { hardClusters } = cluster(tableOf(30, false), { minSpeakers: 2, maxSpeakers: 2 });
    expect(hardClusters[0]).toBeGreaterThanOrEqual(0);
    expect(hardClusters[1]).toBe(INACTIVE);
    const table = tableOf(2);
    table.local.embeddings.fill(NaN);
    const silent = cluster(new VoiceTable(table.local));
    expect([...silent.hardClusters]).toEqual([0, 0, INACTIVE, 0, 0, INACTIVE]);
  });

  test('splits down to single embeddings if that many speakers are requested', () => {
    const { centroids } = cluster(tableOf(30, false), { minSpeakers: 7, maxSpeakers: 7 });
    expect(centroids).toHaveLength(7);
  });

  test('means of other embeddings are assigned, but have no part in the number of speakers', () => {
    const table = tableOf(10);
    // The second speaker of each window has a mean of embeddings of others.
    const rows = Uint8Array.from(table.rows, (_, row) => (row % 3 === 0 ? 1 : 0));
    const embedded = { windows: new Uint8Array(10).fill(1), rows };
    const { centroids, hardClusters } = new EvidenceClusterer(table, PLDA, CAMPPLUS_CLUSTERING, embedded).cluster(ANY, null);
    expect(centroids).toHaveLength(1);
    expect(hardClusters[1]).toBe(0);
    expect(new EvidenceClusterer(table, PLDA, CAMPPLUS_CLUSTERING, { ...embedded, rows: rows.fill(1) }).cluster(ANY, null).centroids).toHaveLength(2);
  });
});
