import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_SHARED, readNpz, SHARED } from '../../test/shared';
import type { SpeakerBounds } from '../clustering/localSpeakers';
import { packMerges } from '../clustering/dendrogram';
import type { AnyPlda } from '../clustering/plda';
import { CAMPPLUS_CLUSTERING, COMMUNITY_1_CLUSTERING } from '../clustering/settings';
import { bundledPlda } from '../../test/clustering/plda';
import { bundledTwoCovariance } from '../../test/clustering/twoCovariance';
import { assemble, Assembler, type Assembly, type AssemblyInput, type ClusteringChoice } from './assembler';
import { GEOMETRY, meeting, type MeetingSizes } from '../../test/timeline/meeting';
import { itUnless } from '../../test/skips';


const PLDA = bundledPlda();
const TWO_COVARIANCE = bundledTwoCovariance();
const ANY: SpeakerBounds = { minSpeakers: 1, maxSpeakers: Infinity };
const AGGLOMERATIVE: ClusteringChoice = { method: 'agglomerative', threshold: 0.7, minClusterSize: 12, minActiveRatio: 0.2, ...ANY };
const VBX: ClusteringChoice = { method: 'vbx', ...COMMUNITY_1_CLUSTERING, ...ANY };
const EVIDENCE: ClusteringChoice = { method: 'evidence', ...CAMPPLUS_CLUSTERING, ...ANY };
const CHOICES = [AGGLOMERATIVE, VBX, EVIDENCE];
/** The PLDA of a method; for the method without one, any PLDA. */
const pldaOf = ({ method }: ClusteringChoice): AnyPlda => (method === 'evidence' ? TWO_COVARIANCE : PLDA);

/** Few and many speakers, ascending and descending, with bounds and the automatic count in between. */
const STEPS: readonly SpeakerBounds[] = [
  ANY,
  ...[4, 1, 2, 10, 7, 4].map((count) => ({ minSpeakers: count, maxSpeakers: count })),
  { minSpeakers: 3, maxSpeakers: 5 },
  ANY,
];

/** All results that the user or a later stage sees, as text: equal text means equal bytes, including NaN. */
function seen({ turns, exclusiveTurns, centroids, hardClusters, count, confidenceKind }: Assembly): string {
  const numbers = [...centroids.flatMap((centroid) => [...centroid]), ...hardClusters, ...count].map(String);
  return JSON.stringify({ turns, exclusiveTurns, numbers, confidenceKind });
}

function meetingInput(options: ClusteringChoice, sizes: Omit<MeetingSizes, 'dimension'>, embedHop = 1): AssemblyInput {
  const voices = meeting({ ...sizes, dimension: pldaOf(options).embeddingMean.length });
  const { numWindows } = sizes;
  const embedded = voices.embedded.map((_, window) => (window % embedHop === 0 || window === numWindows - 1 ? 1 : 0));
  const cells = voices.embeddings.length / numWindows;
  const embeddings = voices.embeddings.map((value, i) => (embedded[Math.floor(i / cells)] ? value : NaN));
  return { ...voices, embedded, embeddings, options };
}

function capturedInput(name: string, options: ClusteringChoice): AssemblyInput {
  const folder = join(SHARED, 'captures', name);
  const embeddings = readNpz(join(folder, 'raw_embeddings.npz')).embeddings!;
  const segmentations = readNpz(join(folder, 'segmentations.npz')).segmentations!;
  const [, numSpeakers = 0, dimension = 0] = embeddings.shape;
  return {
    activity: Uint8Array.from(segmentations.data),
    embeddings: Float32Array.from(embeddings.data),
    numSpeakers,
    dimension,
    geometry: GEOMETRY,
    minCleanFrames: 10,
    options,
  };
}

function expectFreshResults(input: AssemblyInput): void {
  const assembler = new Assembler(input, pldaOf(input.options));
  assembler.warm();
  // At this point, some counts are complete, one is in progress, and others are not started.
  for (let piece = 0; piece < 7; piece++) assembler.anticipate();
  for (const bounds of STEPS) {
    const fresh = assemble({ ...input, options: { ...input.options, ...bounds } }, pldaOf(input.options));
    expect(seen(assembler.assemble(bounds)), JSON.stringify(bounds)).toBe(seen(fresh));
  }
}

describe.each(CHOICES)('a sequence of speaker counts: $method', (options) => {
  test.each([
    { numWindows: 60, numVoices: 4, noise: 0.5, seed: 1 },
    { numWindows: 60, numVoices: 2, noise: 1.5, seed: 2 },
    { numWindows: 3, numVoices: 3, noise: 0.5, seed: 3 },
  ])('returns the same bytes as a new run: $numVoices speakers, $numWindows windows, noise $noise', (sizes) => {
    expectFreshResults(meetingInput(options, sizes));
  });

  test('returns the same bytes if every fifth window was embedded', () => {
    expectFreshResults(meetingInput(options, { numWindows: 60, numVoices: 4, noise: 0.5, seed: 4 }, 5));
  });

  // The captures contain embeddings of another model than the PLDA of `evidence` requires.
  const itWithCaptures = options.method === 'evidence' ? () => undefined : itUnless(NO_SHARED);
  itWithCaptures('returns the same bytes for real recordings', { timeout: 120_000 }, () => {
    const names = readdirSync(join(SHARED, 'captures'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expectFreshResults(capturedInput(name, options));
  });

  test('reuses the linkage of another run, and ignores one of other embeddings', () => {
    const input = meetingInput(options, { numWindows: 40, numVoices: 3, noise: 0.5, seed: 5 });
    const first = new Assembler(input, pldaOf(input.options));
    const expected = seen(first.assemble(ANY));
    const known = first.dendrogram;
    expect(known).not.toBeNull();
    const linked = new Assembler(input, pldaOf(input.options), known);
    expect(seen(linked.assemble(ANY))).toBe(expected);
    expect(linked.dendrogram).toEqual(known);
    for (const wrong of [packMerges([]), { ...known!, left: known!.left.map(() => 0) }]) {
      expect(seen(new Assembler(input, pldaOf(input.options), wrong).assemble(ANY))).toBe(expected);
    }
  });
});
