import { describe, expect } from 'vitest';
import { COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { NO_SHARED } from '../shared';
import { rowOf } from '../../src/clustering/linearAlgebra';
import { projectEmbeddings } from '../../src/clustering/plda';
import { startLabels, unitEmbeddings } from '../../src/clustering/vbxClusterer';
import { capturedEmbeddings } from '../clustering/captured';
import { bundledPlda } from '../clustering/plda';
import { repeated } from '../clustering/repeated';
import { startResponsibilities, vbx } from '../../src/clustering/vbx';
import { itUnless } from '../skips';

/**
 * More than fit into a distance matrix: over an hour, with one window per second and three local speakers in nearly every
 * window. `npm run bench -- --check` clusters three hours.
 */
const NUM_EMBEDDINGS = 12_000;


describe('clustering of a long recording', () => {
  itUnless(NO_SHARED)(`VBx of ${NUM_EMBEDDINGS} embeddings`, { timeout: 600_000 }, () => {
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
