import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { MinDurations } from '../timeline/minDurations';
import { describe, expect, it } from 'vitest';
import type { Annotation } from '../editing/annotation';
import { annotationOf } from '../editing/annotationOf';
import { annotationToJson } from './annotationJson';
import { readAnyTurns } from './anyTurns';
import { type JsonSource, runManifest, toJson } from './json';

const fixture = (name: string) => readFileSync(new URL(`fixtures/imports/${name}`, import.meta.url), 'utf8');

const RESULT: JsonSource = {
  durationSeconds: 12,
  backend: { reason: 'asked for', name: 'wasm', threads: 2, adapter: null },
  turns: [],
  exclusiveTurns: [],
  speakers: [{ label: 'SPEAKER_00', speechSeconds: 3, centroid: Float32Array.of(0.5, -0.25) }],
  timings: {},
};

const RUN = runManifest(
  {
    preset: 'campplus',
    speed: 'exact',
    backend: {
      name: 'webgpu',
      adapter: 'a GPU',
      threads: 0,
      reason: 'faster',
      selfCheck: [{ passed: true }, { passed: false }],
    },
  },
  {
    program: { name: 'Voxlane', version: '0.1.0' },
    date: '2026-01-02T03:04:05.000Z',
    source: { name: 'talk.wav', bytes: 1234 },
    settings: { speakers: 2, minSpeakers: null },
    models: [{ stage: 'segmentation', id: 'segmentation-3.0', sha256: 'ab' }],
    userAgent: 'a browser',
    isCorrected: true,
  },
);

describe('readAnyTurns', () => {
  it.each([
    ['f.rttm', 'SPEAKER a 1 1e12 5 <NA> <NA> X <NA> <NA>'],
    ['f.rttm', 'SPEAKER a 1 1e300 5 <NA> <NA> X <NA> <NA>'],
    ['f.rttm', 'SPEAKER a 1 1700000000 5 <NA> <NA> X <NA> <NA>'],
    ['f.json', '[{"start": 0, "end": 1e308, "speaker": "A"}]'],
  ])('rejects a time beyond any recording in %s: %s', (name, text) => {
    expect(() => readAnyTurns(name, text)).toThrow(expect.objectContaining({ code: 'format', expected: expect.stringContaining('10,000,000') as string }) as Error);
  });

  it('reads the JSON of earlier releases, which had GPU counts', () => {
    const present = toJson('talk.wav', { ...RESULT, turns: [{ startSeconds: 0, endSeconds: 1, speaker: 'SPEAKER_00' }] });
    const counts = { fbank: { dispatches: 4, submits: 4, bytesUp: 1280256, bytesBack: 0 } };
    for (const gpu of [null, counts]) {
      const former = JSON.stringify({ ...(JSON.parse(present) as object), gpu });
      expect(readAnyTurns('talk.json', former)).toEqual(readAnyTurns('talk.json', present));
    }
  });

  it('reads the colors of earlier releases, which wrote `colour`', () => {
    const text = (name: string): string =>
      JSON.stringify({ file: 'a', durationSeconds: 2, turns: [{ startSeconds: 0, endSeconds: 1, speaker: 'A' }], speakers: [{ label: 'A', name: 'Ann', [name]: 3 }] });
    expect(readAnyTurns('a.json', text('colour'))).toEqual(readAnyTurns('a.json', text('color')));
    expect(readAnyTurns('a.json', text('colour'))[0]!.speakers).toEqual([{ label: 'A', name: 'Ann', color: 3 }]);
  });

  it('reads every recording of an RTTM file of pyannote.core', () => {
    const [meeting, call, ...others] = readAnyTurns('all.rttm', fixture('pyannote.rttm'));
    expect(others).toEqual([]);
    expect(meeting).toMatchObject({ name: 'meeting', durationSeconds: null, exclusiveTurns: [] });
    expect(meeting?.turns[1]).toEqual({ startSeconds: 1.9, endSeconds: 1.9 + 2.163, speaker: 'SPEAKER_01' });
    expect(meeting?.speakers).toEqual([
      { label: 'SPEAKER_00', name: null },
      { label: 'SPEAKER_01', name: null },
    ]);
    expect(call?.turns).toHaveLength(2);
    expect(call?.speakers).toEqual([
      { label: 'Anna', name: 'Anna' },
      { label: 'Zoë', name: 'Zoë' },
    ]);
  });

  it('reads the JSON of pyannote.audio, with its exclusive turns', () => {
    const [recording] = readAnyTurns('meeting.json', fixture('pyannote.audio.json'));
    expect(recording?.name).toBe('meeting.json');
    expect(recording?.turns).toHaveLength(3);
    expect(recording?.exclusiveTurns[0]).toEqual({ startSeconds: 0.031, endSeconds: 1.9, speaker: 'SPEAKER_00' });
  });

  it('reads segments with speakers as written by whisperX, and omits those without speakers', () => {
    const segments = [
      { start: 1, end: 2, text: ' Hi', speaker: 'SPEAKER_01' },
      { start: 2, end: 3, text: ' so' },
    ];
    expect(readAnyTurns('x.json', JSON.stringify({ segments }))[0]?.turns).toEqual([
      { startSeconds: 1, endSeconds: 2, speaker: 'SPEAKER_01' },
    ]);
    expect(readAnyTurns('x.json', JSON.stringify(segments))[0]?.turns).toHaveLength(1);
  });

  it('reads our JSON without corrections, even without turns', () => {
    expect(readAnyTurns('x.json', toJson('talk.wav', RESULT))).toEqual([
      { name: 'talk.wav', durationSeconds: 12, turns: [], exclusiveTurns: [], speakers: [{ label: 'SPEAKER_00' }] },
    ]);
  });

  it.each([
    ['text', 'hello', /does not start with an RTTM record type/],
    ['an RTTM file without turns', ';; nothing\n', /"f" contains no turns/],
    ['segments without speakers', '{"segments":[{"start":0,"end":1,"text":"x"}]}', /contains no turns/],
    ['broken JSON', '{"turns": [', /not valid JSON/],
    ['JSON of something else', '{"a": 1}', /JSON without turns/],
    [
      'a start that is text',
      '{"segments":[{"start":0,"end":1,"speaker":"a"},{"start":"0","end":1,"speaker":"a"}]}',
      /at segments\.1\.start/,
    ],
    ['a turn that ends before it starts', '[{"start":3,"end":1,"speaker":"a"}]', /Turn 1 of "f" is from 3 s to 1 s/],
    ['a turn before the recording', 'SPEAKER x 1 -1 2 <NA> <NA> a <NA> <NA>\n', /Turn 1 of "x" is from -1 s/],
  ])('rejects %s', (_name, text, found) => {
    const read = () => readAnyTurns('f', text);
    expect(read).toThrow(expect.objectContaining({ code: 'format', remedy: expect.any(String) as string }));
    expect(read).toThrow(found);
  });
});

describe('annotationToJson', () => {
  const again = (json: string): Annotation => {
    const { turns, exclusiveTurns, speakers, durationSeconds } = readAnyTurns('x.json', json)[0]!;
    return annotationOf(turns, exclusiveTurns, speakers, durationSeconds!);
  };

  /** Whole microseconds: finer times are rounded on writing. */
  const micro = fc.integer({ min: 0, max: 12_000_000 }).map((us) => us / 1e6);
  const speakers = fc.uniqueArray(
    fc.record({
      label: fc.string({ minLength: 1 }),
      name: fc.option(fc.string({ unit: 'grapheme' })),
      color: fc.nat(20),
    }),
    { selector: ({ label }) => label, minLength: 1, maxLength: 5 },
  );
  const annotations = speakers.chain((known) =>
    fc
      .array(
        fc.tuple(
          micro,
          micro,
          fc.constantFrom(...known),
          fc.option(fc.integer({ min: 0, max: 10_000 }).map((n) => n / 1e4)),
          fc.boolean(),
          fc.boolean(),
        ),
        { maxLength: 12 },
      )
      .map((rows) => {
        const turns = rows
          .filter(([a, b]) => a !== b)
          .map(([a, b, { label }, confidence, isCorrected]) => ({
            startSeconds: Math.min(a, b),
            endSeconds: Math.max(a, b),
            speaker: label,
            confidence,
            isCorrected,
          }));
        const hints = turns
          .filter((_, index) => rows[index]![5])
          .map(({ startSeconds, endSeconds, speaker, confidence }) => ({
            startSeconds,
            endSeconds,
            speaker,
            confidence,
          }));
        return annotationOf(turns, hints, known, 12);
      }),
  );

  /** Exclusive turns with a mean of several confidences can differ if the mean is computed from rounded values. */
  const withoutMeans = (json: string) => {
    const content = JSON.parse(json) as { exclusiveTurns: { confidence?: unknown }[] };
    for (const turn of content.exclusiveTurns) delete turn.confidence;
    return content;
  };

  it('is read back as the same annotation: names, colors, corrections, and exclusive hints', () => {
    fc.assert(
      fc.property(annotations, (annotation) => {
        const json = annotationToJson('talk.wav', RESULT, annotation, RUN);
        const read = again(json);
        // Confidences of joined turns are rounded on writing, and ids are not written.
        const plain = ({ speakers: who, turns, exclusiveHints, durationSeconds }: Annotation) => ({
          who,
          durationSeconds,
          turns: turns.map(({ startSeconds, endSeconds, speaker, isCorrected }) => ({
            startSeconds,
            endSeconds,
            speaker,
            isCorrected,
          })),
          hints: exclusiveHints.map(({ startSeconds, endSeconds, speaker }) => ({ startSeconds, endSeconds, speaker })),
        });
        expect(plain(read)).toEqual(plain(annotation));
        for (const [index, turn] of read.turns.entries()) {
          const { confidence = null } = annotation.turns[index]!;
          if (confidence === null || turn.confidence == null) expect(turn.confidence).toBe(confidence);
          else expect(Math.abs(turn.confidence - confidence)).toBeLessThanOrEqual(5.001e-5);
        }
        expect(withoutMeans(annotationToJson('talk.wav', RESULT, read, RUN))).toEqual(withoutMeans(json));
      }),
    );
  });

  it('contains the minimum durations and the number of speakers of an accepted re-clustering', () => {
    const speakerCount = { value: 2, alternatives: [{ value: 1, score: 0.3 }], unmet: null };
    const run = { ...RESULT, speakerCount, minDurationOn: 0.15, minDurationOff: 0.1 };
    const turns = [{ startSeconds: 1, endSeconds: 2.5, speaker: 'A' }, { startSeconds: 3, endSeconds: 4, speaker: 'B' }];
    const written = (own: readonly (typeof turns)[0][], minDurations?: MinDurations) => {
      const annotation = annotationOf(own, own, own.map(({ speaker }) => ({ label: speaker })), 12);
      return JSON.parse(annotationToJson('talk.wav', run, { ...annotation, ...(minDurations && { minDurations }) }, RUN)) as unknown;
    };
    expect(written(turns)).toMatchObject({ speakerCount, minDurationOn: 0.15, minDurationOff: 0.1 });
    expect(written(turns.slice(0, 1), { minDurationOn: 1, minDurationOff: 0 })).toMatchObject({
      speakerCount: { value: 1, alternatives: [], unmet: null },
      minDurationOn: 1,
      minDurationOff: 0,
    });
  });

  it('contains the run, the names, and a centroid if the run found the speaker', () => {
    const turns = [{ startSeconds: 1, endSeconds: 2.5, speaker: 'SPEAKER_00', confidence: 0.5, isCorrected: true }];
    const annotation = annotationOf(turns, turns, [{ label: 'SPEAKER_00', name: 'Anna' }, { label: 'ADDED' }], 12);
    const written = JSON.parse(annotationToJson('talk.wav', RESULT, annotation, RUN)) as Record<string, unknown>;
    expect(written.run).toEqual({
      program: { name: 'Voxlane', version: '0.1.0' },
      date: '2026-01-02T03:04:05.000Z',
      source: { name: 'talk.wav', bytes: 1234 },
      preset: 'campplus',
      speed: 'exact',
      settings: { speakers: 2, minSpeakers: null },
      models: [{ stage: 'segmentation', id: 'segmentation-3.0', sha256: 'ab' }],
      backend: { name: 'webgpu', adapter: 'a GPU', threads: 0, reason: 'faster' },
      userAgent: 'a browser',
      selfCheck: 'failed',
      isCorrected: true,
    });
    expect(written.turns).toEqual([{ ...turns[0] }]);
    expect(written).not.toHaveProperty('exclusiveHints');
    expect(written.speakers).toEqual([
      { label: 'SPEAKER_00', name: 'Anna', color: 0, speechSeconds: 1.5, centroid: [0.5, -0.25] },
      { label: 'ADDED', name: null, color: 1, speechSeconds: 0, centroid: null },
    ]);
  });
});
