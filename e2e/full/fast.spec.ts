/**
 * Accuracy loss of `fast` compared with `exact` on all annotated recordings. The turns of `exact` match pyannote.audio
 * (pyannote.spec.ts) and are stored with the recordings.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import embedding from '../../models/campplus-zh-en/manifest.json' with { type: 'json' };
import segmentation from '../../models/segmentation-3.0/manifest.json' with { type: 'json' };
import { CAMPPLUS } from '../../src/engine/settings';
import { parseRttm } from '../../src/formats/rttm';
import { diarizationErrorRate, errorRate, sumComponents, type Components } from '../../src/score/der';
import type { Turn } from '../../src/timeline/turns';
import { hasShared, SHARED, SHARED_MISSING } from '../../test/shared';
import { expect, test } from '../../test/browser/engine';

/** Maximum loss guaranteed by the preset, as a fraction of speech. */
const MAX_LOST = 0.01;
const LOCAL_SPEAKERS = segmentation.powerset.numSpeakers;
const EMBEDDING_SIZE = embedding.embeddingSize;

const CLIPS = [
  ...['dev00', 'dev01', 'trn00', 'trn01', 'trn02', 'trn03', 'trn04'].map((name) => ({
    name,
    audio: join(SHARED, 'audio', `${name}.wav`),
    annotation: join(SHARED, 'audio', `${name}.rttm`),
  })),
  { name: 'sample', audio: 'public/sample.wav', annotation: 'public/sample.rttm' },
];

test.use({ engineOptions: { speed: 'fast', clustering: 'pyannote-3.1' } });

const readTurns = (path: string): readonly Turn[] => [...parseRttm(readFileSync(path, 'utf8')).values()].flat();

test('fast loses at most one percentage point compared with exact', async ({ engine }) => {
  test.skip(!hasShared, SHARED_MISSING);
  test.setTimeout(300_000);
  const exact: Components[] = [];
  const fast: Components[] = [];
  for (const { name, audio, annotation } of CLIPS) {
    expect(existsSync(audio)).toBe(true);
    const annotated = readTurns(annotation);
    const { json, embeddings } = await engine.run(audio);
    expect(json).toMatchObject({ speed: 'fast' });
    const row = LOCAL_SPEAKERS * EMBEDDING_SIZE;
    const numWindows = embeddings.length / row;
    const isEmbedded = (window: number) => embeddings.slice(window * row, (window + 1) * row).some((value) => value !== null);
    const embedded = [...Array(numWindows).keys()].filter(isEmbedded);
    expect(embedded.filter((window) => window % CAMPPLUS.fastEmbedHop !== 0 && window !== numWindows - 1)).toEqual([]);
    // Distinguishing speakers requires embeddings. Recordings without speech have none.
    if (json.turns.length > 0) expect(embedded.length).toBeGreaterThan(0);
    exact.push(diarizationErrorRate(annotated, readTurns(join(SHARED, 'reference', `${name}.rttm`))));
    fast.push(diarizationErrorRate(annotated, json.turns));
    const [exactDer, fastDer] = [exact, fast].map((scores) => (100 * errorRate(scores.at(-1)!)).toFixed(2));
    console.log(`${name}: DER exact ${exactDer} %, fast ${fastDer} %`);
  }
  const [exactDer, fastDer] = [errorRate(sumComponents(exact)), errorRate(sumComponents(fast))];
  console.log(`all: DER exact ${(100 * exactDer).toFixed(2)} %, fast ${(100 * fastDer).toFixed(2)} %`);
  expect(fastDer - exactDer).toBeLessThanOrEqual(MAX_LOST);
});
