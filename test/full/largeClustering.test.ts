import { describe, expect, test } from 'vitest';
import { COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { hasShared, SHARED_MISSING } from '../shared';
import { Agglomeration } from '../../src/clustering/agglomerativeClusterer';
import { rowOf } from '../../src/clustering/linearAlgebra';
import { projectEmbeddings } from '../../src/clustering/plda';
import { startLabels, unitEmbeddings } from '../../src/clustering/vbxClusterer';
import { capturedEmbeddings } from '../clustering/captured';
import { bundledPlda } from '../clustering/plda';
import { repeated } from '../clustering/repeated';
import { conversation } from '../clustering/voices';
import { startResponsibilities, vbx } from '../../src/clustering/vbx';

/**
 * More than fit into a distance matrix: over an hour, with one window per second and three local speakers in nearly every
 * window. `npm run bench -- --check` clusters three hours.
 */
const NUM_EMBEDDINGS = 12_000;

if (!hasShared) console.log(`Skipped in part, ${SHARED_MISSING}`);

describe('clustering of a long recording', () => {
  test(`agglomerative clustering of ${NUM_EMBEDDINGS} embeddings with an automatic number of clusters and with six`, { timeout: 600_000 }, () => {
    const embeddings = conversation(NUM_EMBEDDINGS, 192, 8, 1);
    const agglomeration = new Agglomeration(embeddings, { threshold: 0.7, minClusterSize: 12 });
    const numFree = new Set(agglomeration.clusters(1, Infinity)).size;
    console.log(`${NUM_EMBEDDINGS} embeddings of 192 values, ${numFree} clusters`);
    expect(numFree).toBeGreaterThanOrEqual(1);
    expect(new Set(agglomeration.clusters(6, 6)).size).toBe(6);
  });

  test.skipIf(!hasShared)(`VBx of ${NUM_EMBEDDINGS} embeddings`, { timeout: 600_000 }, () => {
    const captured = capturedEmbeddings();
    const embeddings = repeated(captured, NUM_EMBEDDINGS);
    const plda = bundledPlda();
    const labels = startLabels(unitEmbeddings(embeddings), COMMUNITY_1_CLUSTERING.threshold);
    const { latent } = projectEmbeddings(plda, embeddings);
    const start = startResponsibilities(labels);
    const result = vbx(latent, plda.betweenCovariance, start, COMMUNITY_1_CLUSTERING);
    console.log(`${NUM_EMBEDDINGS} embeddings of 256 values, ${start.numColumns} start clusters, ${result.elbo.length} iterations`);

    // Repeats of an embedding are much closer than the threshold. This does not apply to VBx: with this many embeddings,
    // pyannote's VBx also assigns repeats to different speakers.
    labels.forEach((label, i) => {
      expect(label).toBe(labels[i % captured.length]);
    });
    for (const [i, bound] of result.elbo.entries()) {
      // Only rounding of sums of 12,000 terms may decrease it.
      if (i > 0) expect(bound).toBeGreaterThanOrEqual(result.elbo[i - 1]! - 1e-9 * Math.abs(bound));
    }
    for (let row = 0; row < NUM_EMBEDDINGS; row++) {
      const sum = rowOf(result.responsibilities, row).reduce((total, share) => total + share, 0);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
    }
  });
});
