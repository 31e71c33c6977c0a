import { expect, it } from 'vitest';
import { annotationOf } from '../../editing/annotationOf';
import type { DiarizationResult } from '../../engine/types';
import type { Outcome } from '../state';
import { exportFile } from './exports';

const turns = [{ startSeconds: 0, endSeconds: 2, speaker: 'SPEAKER_00' }];
const annotation = annotationOf(turns, turns, [{ label: 'SPEAKER_00' }], 10);

it('writes the clustering and the minimum durations of the result into the exported JSON', () => {
  const result = {
    durationSeconds: 10,
    preset: 'campplus',
    speed: 'exact',
    clustering: 'pyannote-3.1',
    minDurationOn: 0.3,
    minDurationOff: 0,
    backend: { name: 'wasm', adapter: null, threads: 2, reason: 'asked for', selfCheck: null },
    models: [],
    turns,
    exclusiveTurns: turns,
    speakers: [],
    timings: {},
  } as unknown as DiarizationResult;
  const outcome: Outcome = { id: 'a', name: 'a.wav', blob: null, result, annotation, options: null, processingSeconds: 1 };
  const { content } = exportFile('json', { outcome, annotation, mode: 'overlapping', isCorrected: false, date: new Date(0), userAgent: 'test' });
  const { settings } = (JSON.parse(content) as { run: { settings: object } }).run;
  expect(settings).toMatchObject({ clustering: 'pyannote-3.1', minDurationOn: 0.3, minDurationOff: 0 });
});
