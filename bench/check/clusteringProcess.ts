/**
 * Measures one clustering case and prints its figures as JSON: `tsx bench/check/clusteringProcess.ts CASE`.
 */
import { agglomerativeClustering } from '../../src/clustering/agglomerativeClusterer';
import { COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { projectEmbeddings } from '../../src/clustering/plda';
import { startLabels, unitEmbeddings } from '../../src/clustering/vbxClusterer';
import { startResponsibilities, vbx } from '../../src/clustering/vbx';
import { capturedEmbeddings } from '../../test/clustering/captured';
import { bundledPlda } from '../../test/clustering/plda';
import { repeated } from '../../test/clustering/repeated';
import { conversation } from '../../test/clustering/voices';
import { ANY_COUNT, longAssembler } from '../../test/timeline/longAssembler';

/** Three hours, with one window per second and three local speakers in nearly every window. */
const NUM_EMBEDDINGS = 32_000;
const BYTES_PER_KILOBYTE = 1024;

export interface ClusteringFigures {
  /** CPU time of all threads of the process. Unlike wall time, it does not depend on other load. */
  readonly seconds: number;
  /** Peak memory beyond the memory before the run. */
  readonly megabytes: number;
}

function measured(work: () => unknown): ClusteringFigures {
  const before = process.cpuUsage();
  const bytesBefore = process.memoryUsage.rss();
  work();
  const { user, system } = process.cpuUsage(before);
  // The peak of the process so far, which is at least that of the measured work.
  const bytes = process.resourceUsage().maxRSS * BYTES_PER_KILOBYTE - bytesBefore;
  return { seconds: (user + system) / 1e6, megabytes: bytes / 1e6 };
}

function agglomeration(numEmbeddings: number, minClusters: number, maxClusters: number): ClusteringFigures {
  const embeddings = conversation(numEmbeddings, 192, 8, 1);
  return measured(() => agglomerativeClustering(embeddings, { threshold: 0.7, minClusterSize: 12, minClusters, maxClusters }));
}

function vbxOfCaptures(): ClusteringFigures {
  const embeddings = repeated(capturedEmbeddings(), NUM_EMBEDDINGS);
  const plda = bundledPlda();
  return measured(() => {
    const labels = startLabels(unitEmbeddings(embeddings), COMMUNITY_1_CLUSTERING.threshold);
    const { latent } = projectEmbeddings(plda, embeddings);
    vbx(latent, plda.betweenCovariance, startResponsibilities(labels), COMMUNITY_1_CLUSTERING);
  });
}

/** Measures the longest of ten steps. */
function steps(method: 'agglomerative' | 'vbx'): ClusteringFigures {
  const assembler = longAssembler(method);
  while (assembler.anticipate());
  // The first call includes compilation.
  assembler.assemble(ANY_COUNT);
  const figures = Array.from({ length: 10 }, (_, i) =>
    measured(() => assembler.assemble({ minSpeakers: i + 1, maxSpeakers: i + 1 })),
  );
  return figures.reduce((longest, one) => (one.seconds > longest.seconds ? one : longest));
}

const CASES = {
  half: () => agglomeration(10_000, 1, Infinity),
  whole: () => agglomeration(20_000, 1, Infinity),
  free: () => agglomeration(NUM_EMBEDDINGS, 1, Infinity),
  six: () => agglomeration(NUM_EMBEDDINGS, 6, 6),
  vbx: vbxOfCaptures,
  'steps-agglomerative': () => steps('agglomerative'),
  'steps-vbx': () => steps('vbx'),
} as const;

export type ClusteringCase = keyof typeof CASES;

console.log(JSON.stringify(CASES[process.argv[2] as ClusteringCase]()));
