import type { SpeakerBounds } from '../../src/clustering/localSpeakers';
import { COMMUNITY_1_CLUSTERING } from '../../src/clustering/settings';
import { Assembler, type ClusteringChoice } from '../../src/timeline/assembler';
import { bundledPlda } from '../clustering/plda';
import { meeting } from './meeting';

/** Number of windows, with one window per second. */
const THREE_HOURS = 10_800;

export const ANY_COUNT: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };

export const CLUSTERINGS: Readonly<Record<'agglomerative' | 'vbx', ClusteringChoice & { readonly dimension: number }>> = {
  agglomerative: { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, dimension: 192, ...ANY_COUNT },
  vbx: { method: 'vbx', ...COMMUNITY_1_CLUSTERING, dimension: 256, ...ANY_COUNT },
};

/** A warmed-up assembler with the voices of a long meeting. */
export function longAssembler(method: keyof typeof CLUSTERINGS, numWindows = THREE_HOURS): Assembler {
  const { dimension, ...options } = CLUSTERINGS[method];
  const voices = meeting({ numWindows, numVoices: 8, dimension, noise: 0.4, seed: 3 });
  const assembler = new Assembler({ ...voices, options }, bundledPlda());
  assembler.warm();
  return assembler;
}
