import { describe, expect, test } from 'vitest';
import { COMMUNITY_1_CLUSTERING } from '../clustering/settings';
import { meeting } from '../../test/timeline/meeting';
import { checkVoices, nameSpeakers, usedModels } from './assembly';
import { CAMPPLUS, COMMUNITY_1 } from './settings';
import type { KeptVoices } from './types';

const turn = (speakerIndex: number, startSeconds: number) => ({ speakerIndex, startSeconds, endSeconds: startSeconds + 1, confidence: 0.5 });
const facts = { dimension: 2, embeddingModel: 'm' };
const assembly = {
  turns: [turn(2, 0), turn(0, 1), turn(1, 3), turn(0, 5)],
  exclusiveTurns: [turn(1, 3)],
  centroids: [Float64Array.of(1, 2), Float64Array.of(NaN, NaN)],
};

describe('names', () => {
  test('are in the order of the clusters, with their turns', () => {
    const { turns, exclusiveTurns, speakers } = nameSpeakers(assembly, 10, facts);
    expect(turns[0]).toEqual({ startSeconds: 10, endSeconds: 11, speaker: 'SPEAKER_02', confidence: 0.5 });
    expect(exclusiveTurns.map(({ speaker }) => speaker)).toEqual(['SPEAKER_01']);
    expect(speakers.map(({ label, centroid, speechSeconds }) => [label, [...centroid], speechSeconds])).toEqual([
      ['SPEAKER_00', [1, 2], 2],
      ['SPEAKER_01', [0, 0], 1],
      ['SPEAKER_02', [0, 0], 1],
    ]);
  });

  test('of constraints are kept and not used for other clusters', () => {
    const constraints = ['SPEAKER_00', 'Ann', 'SPEAKER_01'].map((speaker) => ({ speaker, segments: [] }));
    const named = nameSpeakers({ ...assembly, constraintClusters: [1, 2, -1] }, 0, facts, constraints);
    // Cluster 0 has no constraint; SPEAKER_01 is the label of a constraint without turns.
    expect(named.turns.map(({ speaker }) => speaker)).toEqual(['Ann', 'SPEAKER_02', 'SPEAKER_00', 'SPEAKER_02']);
    expect(new Set(named.speakers.map(({ label }) => label)).size).toBe(3);
  });

  test('are empty for silence', () => {
    expect(nameSpeakers(null, 0, facts)).toEqual({ turns: [], exclusiveTurns: [], speakers: [] });
  });
});

test('the models of a result are those that were used', () => {
  const loaded = { segmentationModel: 'aa', embeddingModel: 'bb' };
  const [segmentation, embedding, ...others] = usedModels({ ...loaded, settings: CAMPPLUS, pldaModel: null });
  expect(segmentation).toEqual({ stage: 'segmentation', id: 'segmentation-3.0', sha256: 'aa' });
  expect(embedding).toEqual({ stage: 'embedding', id: 'campplus-zh-en', sha256: 'bb' });
  expect(others).toEqual([]);
  expect(usedModels({ ...loaded, settings: COMMUNITY_1, pldaModel: 'cc' }).map(({ stage, id, sha256 }) => `${stage} ${id} ${sha256}`)).toEqual([
    'segmentation segmentation-3.0 aa',
    'embedding wespeaker-resnet34-lm bb',
    'plda plda-community-1 cc',
  ]);
});

describe('kept voices', () => {
  const { activity, embeddings, embedded, numSpeakers, dimension, geometry, minCleanFrames } = meeting({
    numWindows: 3,
    numVoices: 2,
    dimension: 8,
    noise: 0.5,
    seed: 1,
  });
  const model = { id: 'm', sha256: '00' };
  const voices: KeptVoices = {
    ...{ version: 1, preset: 'campplus', speed: 'exact', segmentation: model, embedding: model, startSeconds: 0 },
    ...{ numSpeakers, dimension, geometry, minCleanFrames, clustering: CAMPPLUS.clustering },
    ...{ activity, embeddings, embedded, dendrogram: null },
  };

  test('are plain data', () => {
    const stored = structuredClone(voices);
    expect(stored).toEqual(voices);
    expect(() => {
      checkVoices(stored);
    }).not.toThrow();
  });

  test('of earlier releases are read, which named the settings of VBx differently', () => {
    const { fa, fb, ...settings } = COMMUNITY_1_CLUSTERING;
    const vbx = { ...settings, method: 'vbx', plda: 'plda-community-1' };
    const former = { ...voices, clustering: { ...vbx, likelihoodScale: fa, speakerRegularisation: fb } };
    expect(checkVoices(former)).toEqual({ ...voices, clustering: { ...vbx, fa, fb } });
    expect(() => checkVoices({ ...voices, clustering: vbx })).toThrow(expect.objectContaining({ code: 'options' }));
  });

  test.each([
    ['another version', { version: 2 as never }],
    ['fewer windows', { embedded: embedded.slice(1) }],
    ['another dimension', { dimension: 9 }],
    ['no list of embedded windows', { embedded: undefined }],
    ['no geometry', { geometry: undefined }],
    ['half a geometry', { geometry: { ...geometry, windows: undefined } }],
    ['no model', { embedding: undefined }],
    ['an unknown clustering', { clustering: { method: 'guess' } }],
    ['plain arrays', { embeddings: [...embeddings] }],
    ['half a linkage', { dendrogram: { left: new Int32Array(1) } }],
  ])('with %s are rejected', (_, change) => {
    expect(() => {
      checkVoices({ ...voices, ...change });
    }).toThrow(expect.objectContaining({ code: 'options', remedy: 'Diarize the recording again' }));
  });

  test.each([null, undefined, 'voices', [], { version: 2 }])('are rejected if malformed: %j', (value) => {
    expect(() => {
      checkVoices(value);
    }).toThrow(expect.objectContaining({ code: 'options' }));
  });
});
