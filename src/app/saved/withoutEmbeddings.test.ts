/** Saved work of nemotron without CAM++: no embeddings, no centroids, no confidences, no kept voices. */
import { describe, expect, it } from 'vitest';
import { MemoryBackend, outcomeNamed } from '../../../test/app/keptWork';
import { History } from '../../editing/history';
import { annotationOf } from '../../editing/annotationOf';
import type { Edit } from '../../editing/annotation';
import { linkConstraintsOf, representativeTurns, reviewOrder } from '../../editing/review';
import { voiceSimilarity } from '../../engine/assembly';
import { Reclusterer } from '../../engine/reclusterer';
import type { KeptVoices } from '../../engine/types';
import { annotationToJson } from '../../formats/annotationJson';
import { readAnyTurns } from '../../formats/anyTurns';
import { startReview } from '../review/queue';
import { CountSession } from '../speakerCount/session';
import type { Editor } from '../editor/editor';
import type { Outcome } from '../state';
import { KEEP_LIMITS } from './records';
import { RecentWork } from './recentWork';

function nemotronOutcome(id: string): Outcome {
  const { voices, ...result } = outcomeNamed(id).result!;
  const turns = [
    { startSeconds: 0, endSeconds: 4, speaker: 'SPEAKER_00', confidence: null },
    { startSeconds: 3, endSeconds: 9, speaker: 'SPEAKER_01', confidence: null },
    { startSeconds: 9.5, endSeconds: 10, speaker: 'SPEAKER_02', confidence: null },
  ];
  const speakers = ['SPEAKER_00', 'SPEAKER_01', 'SPEAKER_02'].map((label) => ({ label, centroid: null, embeddingModel: null, speechSeconds: 4 }));
  const without = { ...result, preset: 'nemotron', turns, exclusiveTurns: turns, speakers, embeddingModel: null, confidenceKind: null, streamingMode: 'offline' } as const;
  expect(voices).toBeDefined();
  return { ...outcomeNamed(id), result: without, annotation: annotationOf(turns, turns, speakers, 10) };
}

const EDITS: readonly Edit[] = [
  { type: 'move-turn', turn: 2, startSeconds: 2, endSeconds: 9 },
  { type: 'split-turn', turn: 2, atSeconds: 5 },
  { type: 'assign-turn', turn: 1, speaker: 'SPEAKER_01' },
  { type: 'confirm-turn', turn: 3 },
  { type: 'rename-speaker', speaker: 'SPEAKER_01', name: 'Bea' },
  { type: 'merge-speakers', from: 'SPEAKER_02', into: 'SPEAKER_01' },
];

const edited = (): History => {
  const history = new History(nemotronOutcome('a').annotation);
  for (const edit of EDITS) history.apply(edit);
  return history;
};

describe('work without embeddings', () => {
  it('is saved and opened with its corrections, which can be undone and redone', async () => {
    const work = new RecentWork(new MemoryBackend(), KEEP_LIMITS, () => 1000);
    const outcome = nemotronOutcome('a');
    const saved = await work.saveOutcome(outcome, { history: new History(outcome.annotation).toPlain() });
    if (!saved.isKept) throw new Error('not saved');
    const history = edited();
    expect((await work.saveCorrections('a', saved.revision, { history: history.toPlain() })).isKept).toBe(true);
    const opened = (await work.open('a'))!;
    expect(opened.hasVoices).toBe(false);
    expect(opened.outcome.result).toEqual(outcome.result);
    const restored = opened.corrections.history;
    expect(restored.annotation).toEqual(history.annotation);
    expect(restored.annotation.speakers.filter(({ id }) => id === 'SPEAKER_02')).toEqual([]);
    EDITS.forEach(() => { restored.undo(); });
    expect(restored.annotation).toEqual(outcome.annotation);
    EDITS.forEach(() => { restored.redo(); });
    expect(restored.annotation).toEqual(history.annotation);
  });

  it('is written to a project file and read back', () => {
    const { annotation } = edited();
    const text = annotationToJson('a.wav', nemotronOutcome('a').result!, annotation);
    expect(JSON.parse(text)).toMatchObject({ embeddingModel: null, confidenceKind: null, speakers: [{ centroid: null }, { centroid: null, name: 'Bea' }] });
    const [recording] = readAnyTurns('a.json', text);
    const plain = (turns: readonly { readonly startSeconds: number; readonly endSeconds: number; readonly speaker: string }[]) =>
      turns.map(({ startSeconds, endSeconds, speaker }) => [startSeconds, endSeconds, speaker]);
    expect(plain(recording!.turns)).toEqual(plain(annotation.turns));
    expect(recording!.turns.every(({ confidence }) => (confidence ?? null) === null)).toBe(true);
  });

  it('can be reviewed: turns without confidence have an order and clips', () => {
    const { annotation } = nemotronOutcome('a');
    const ids = annotation.turns.map(({ id }) => id);
    expect(reviewOrder(annotation).map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(startReview(annotation)).toBeDefined();
    expect(representativeTurns(annotation, 'SPEAKER_01').length).toBeGreaterThan(0);
    expect(linkConstraintsOf(edited().annotation).map(({ speaker }) => speaker)).toEqual(['SPEAKER_01']);
  });

  it('explains why it cannot be clustered again, and keeps its turns', async () => {
    await expect(Reclusterer.create(null as unknown as KeptVoices)).rejects.toMatchObject({ code: 'options', remedy: 'Diarize the recording again' });
    const changes: unknown[] = [];
    const editor = { get: () => edited(), edit: (edit: unknown) => changes.push(edit) > 0, propose: (annotation: unknown) => { changes.push(annotation); } } as unknown as Pick<Editor, 'get' | 'edit' | 'propose'>;
    const states: string[] = [];
    const session = new CountSession(editor, () => Reclusterer.create(null as unknown as KeptVoices), ({ failure }) => { if (failure) states.push(failure.problem); });
    session.choose({ choice: 2, minDurations: { minDurationOn: 0, minDurationOff: 0 }, isKeepingCorrections: true });
    await expect.poll(() => states).toEqual([expect.stringContaining('The kept voices cannot be used')]);
    expect(session.accept()).toBe(false);
    // No proposal is shown.
    expect(changes).toEqual([null]);
  });

  it('has no similarity of voices, with the reason', () => {
    const [one, other] = nemotronOutcome('a').result!.speakers;
    expect(() => voiceSimilarity(one!, other!)).toThrow(/have no embeddings.*such as campplus/);
  });
});
