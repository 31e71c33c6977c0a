import { describe, expect, it } from 'vitest';
import { History } from '../../editing/history';
import { longAnnotation } from '../../../test/editing/synthetic';
import type { Outcome } from '../state';
import { KEEP_LIMITS, type KeepLimits, keyOf } from './records';
import { RecentWork, type KeptCorrections } from './recentWork';
import { MemoryBackend, outcomeNamed } from '../../../test/app/keptWork';

function setUp(limits: KeepLimits = KEEP_LIMITS): { backend: MemoryBackend; work: RecentWork } {
  const backend = new MemoryBackend();
  let clock = 1000;
  return { backend, work: new RecentWork(backend, limits, () => clock++) };
}

const save = (work: RecentWork, id: string): Promise<KeptCorrections> => {
  const outcome = outcomeNamed(id);
  return work.saveOutcome(outcome, { history: new History(outcome.annotation).toPlain() });
};
/** The stored revision. */
const revisionOf = async (work: RecentWork, id: string): Promise<string> => (await work.open(id))!.corrections.revision;
/** Saves like a tab that has just read the work. */
const saveOn = async (work: RecentWork, id: string, history: History): Promise<KeptCorrections> =>
  work.saveCorrections(id, await revisionOf(work, id), { history: history.toPlain() });

const KEPT = { isKept: true };
const KEPT_AS = { isKept: true, revision: expect.any(String) as string };
const sound = (bytes: number): Blob => new Blob([new Uint8Array(bytes)], { type: 'audio/wav' });

/** Ids of the list, with an asterisk if there is a recording. */
const listed = async (work: RecentWork): Promise<string[]> => (await work.list()).map(({ id, hasSound }) => (hasSound ? `${id}*` : id));

describe('RecentWork', () => {
  it('returns everything that was saved', async () => {
    const { work } = setUp();
    const outcome = outcomeNamed('a');
    const history = new History(outcome.annotation);
    history.apply({ type: 'rename-speaker', speaker: 'SPEAKER_01', name: 'Bea' });
    history.apply({ type: 'delete-turn', turn: 1 });
    history.undo();
    const transcript = { file: 'a.srt', cues: [{ startSeconds: 0, endSeconds: 1, text: 'Hello', words: [] }] };
    const peaks = { secondsPerPeak: 0.016, extremes: new Int16Array([-3, 4]) };
    expect(await work.saveOutcome(outcome, { history: history.toPlain() })).toEqual(KEPT_AS);
    expect(await work.saveCorrections('a', await revisionOf(work, 'a'), { history: history.toPlain(), transcript })).toEqual(KEPT_AS);
    expect(await work.saveRecording('a', new Blob(['sound'], { type: 'audio/wav' }))).toEqual(KEPT);
    expect(await work.saveVoices('a', outcome.result!.voices!)).toEqual(KEPT);
    expect(await work.savePeaks('a', peaks)).toEqual(KEPT);

    const opened = (await work.open('a'))!;
    const { voices, ...result } = outcome.result!;
    // The recording is returned separately.
    expect({ ...opened.outcome, blob: null }).toEqual({ ...outcome, result });
    expect(opened.outcome).not.toHaveProperty('blob');
    expect(JSON.stringify(opened.corrections.history.toPlain())).toBe(JSON.stringify(history.toPlain()));
    expect(opened.corrections.transcript).toEqual(transcript);
    expect(await opened.recording!.text()).toBe('sound');
    expect(opened.recording!.type).toBe('audio/wav');
    expect(opened.peaks).toEqual(peaks);
    expect(opened.hasVoices).toBe(true);
    expect(await work.voices('a')).toEqual(voices);
  });

  it('saves turns of a file, which have no result and no recording', async () => {
    const { work } = setUp();
    const outcome: Outcome = { ...outcomeNamed('a'), result: null, options: null, processingSeconds: null };
    await work.saveOutcome(outcome, { history: new History(outcome.annotation).toPlain() });
    expect(await work.open('a')).toMatchObject({ outcome: { result: null }, recording: null, corrections: { transcript: null }, peaks: null, hasVoices: false });
    expect(await work.voices('a')).toBe(null);
  });

  it('lists saved work, latest first, with its size', async () => {
    const { work } = setUp();
    await save(work, 'old');
    await save(work, 'new');
    await work.saveRecording('old', sound(5000));
    expect(await listed(work)).toEqual(['new', 'old*']);
    const before = (await work.list())[1]!;
    expect(before).toMatchObject({ name: 'old.wav', durationSeconds: 10, numSpeakers: 2, savedAt: 1000 });
    expect(before.bytes).toBeGreaterThan(5000);
    const history = new History(outcomeNamed('old').annotation);
    history.apply({ type: 'merge-speakers', from: 'SPEAKER_00', into: 'SPEAKER_01' });
    await saveOn(work, 'old', history);
    expect((await work.list())[0]).toMatchObject({ id: 'old', numSpeakers: 1, savedAt: 1002, hasSound: true });
  });

  it('writes only the history for a correction', async () => {
    const { backend, work } = setUp();
    const outcome = { ...outcomeNamed('a'), annotation: longAnnotation(1000) };
    const history = new History(outcome.annotation);
    await work.saveOutcome(outcome, { history: history.toPlain() });
    await work.saveRecording('a', sound(1_000_000));
    history.apply({ type: 'confirm-turn', turn: 5 });
    await saveOn(work, 'a', history);
    expect(Object.keys(backend.written.at(-1)!).sort()).toEqual([keyOf('about', 'a'), keyOf('history', 'a')]);
    expect((await work.open('a'))!.corrections.history.annotation.turns.find(({ id }) => id === 5)!.isCorrected).toBe(true);
    expect((await work.open('a'))!.recording!.size).toBe(1_000_000);
  });

  it('deletes one or all', async () => {
    const { backend, work } = setUp();
    for (const id of ['a', 'b', 'c']) {
      await save(work, id);
      await work.saveRecording(id, sound(10));
    }
    await work.delete('b');
    expect(await listed(work)).toEqual(['c*', 'a*']);
    expect([...backend.values.keys()].filter((key) => key.endsWith('/b'))).toEqual([]);
    expect(await work.open('b')).toBe(null);
    await work.deleteAll();
    expect(backend.values.size).toBe(0);
  });

  it('does not restore work that another tab deleted', async () => {
    const { backend, work } = setUp();
    await save(work, 'a');
    const { history, revision } = (await work.open('a'))!.corrections;
    await new RecentWork(backend).delete('a');
    expect(await work.saveCorrections('a', revision, { history: history.toPlain() })).toMatchObject({ isKept: false, reason: 'gone' });
    expect(await work.saveRecording('a', sound(10))).toMatchObject({ isKept: false, reason: 'gone' });
    expect(backend.values.size).toBe(0);
  });

  it('loses nothing if two tabs save at once', async () => {
    const { backend, work } = setUp();
    const other = new RecentWork(backend);
    await save(work, 'a');
    const { history } = (await work.open('a'))!.corrections;
    await Promise.all([save(other, 'b'), work.saveRecording('a', sound(10)), other.savePeaks('a', { secondsPerPeak: 1, extremes: new Int16Array(8) }), saveOn(other, 'a', history)]);
    expect((await listed(work)).sort()).toEqual(['a*', 'b']);
    expect(await work.open('a')).toMatchObject({ peaks: { secondsPerPeak: 1 }, corrections: { transcript: null } });
  });

  it('does not overwrite corrections that the tab has not read', async () => {
    const { backend, work } = setUp();
    const other = new RecentWork(backend);
    await save(work, 'a');
    const base = await revisionOf(work, 'a');
    const history = new History(outcomeNamed('a').annotation);
    history.apply({ type: 'add-speaker', name: 'Ann' });
    const kept = await work.saveCorrections('a', base, { history: history.toPlain() });
    expect(kept).toEqual(KEPT_AS);
    history.undo();
    expect(await other.saveCorrections('a', base, { history: history.toPlain() })).toMatchObject({ isKept: false, reason: 'changed' });
    expect(await save(other, 'a')).toMatchObject({ isKept: false, reason: 'changed' });
    expect(await other.corrections('a', base)).toMatchObject({ revision: kept.isKept && kept.revision, history: { canUndo: true } });
    expect(await other.corrections('a', kept.isKept ? kept.revision : '')).toBe('same');
    expect(await other.corrections('b', null)).toBe(null);
  });

  it('accepts corrections of an earlier release, which had no revisions', async () => {
    const { backend, work } = setUp();
    await save(work, 'a');
    const { revision: _, ...about } = backend.values.get(keyOf('about', 'a')) as { revision: string };
    backend.values.set(keyOf('about', 'a'), about);
    expect(await revisionOf(work, 'a')).toBe('');
    expect(await saveOn(work, 'a', new History(outcomeNamed('a').annotation))).toEqual(KEPT_AS);
    expect(await revisionOf(work, 'a')).not.toBe('');
  });
});

describe('RecentWork without room', () => {
  it('saves the work without its recording and reports it', async () => {
    const { backend, work } = setUp();
    backend.quotaBytes = 20_000;
    expect(await save(work, 'a')).toEqual(KEPT_AS);
    const kept = await work.saveRecording('a', sound(50_000));
    expect(kept).toMatchObject({ isKept: false, reason: 'full', error: { code: 'storage' } });
    expect(await listed(work)).toEqual(['a']);
    expect((await work.open('a'))!.recording).toBe(null);
  });

  it('drops the oldest recordings of other work for a new one, and no more than necessary', async () => {
    const { backend, work } = setUp();
    for (const id of ['a', 'b', 'c']) {
      await save(work, id);
      await work.saveRecording(id, sound(10_000));
    }
    await work.saveVoices('a', { embeddings: new Uint8Array(5000) });
    await save(work, 'd');
    backend.quotaBytes = [...backend.values.keys()].filter((key) => !key.startsWith('transcript')).length * 2000 + 40_000;
    expect(await work.saveRecording('d', sound(45_000))).toEqual(KEPT);
    expect(await listed(work)).toEqual(['d*', 'c*', 'b', 'a']);
    // Voice data is dropped only after all recordings.
    expect(await work.voices('a')).not.toBe(null);
    expect((await work.open('a'))!.recording).toBe(null);
  });

  it('drops the recording of the same work for corrections as a last resort', async () => {
    const { backend, work } = setUp();
    const outcome = { ...outcomeNamed('a'), annotation: longAnnotation(200) };
    const history = new History(outcome.annotation);
    await work.saveOutcome(outcome, { history: history.toPlain() });
    await work.saveRecording('a', sound(100_000));
    backend.quotaBytes = [...backend.values.values()].reduce<number>((sum, value) => sum + (value instanceof Blob ? value.size : 0), 0) + 60_000;
    for (let step = 0; step < 150; step++) history.apply({ type: 'confirm-turn', turn: step + 1 });
    expect(await saveOn(work, 'a', history)).toEqual(KEPT_AS);
    expect(await listed(work)).toEqual(['a']);
  });

  it('stays within its limits', async () => {
    const { work } = setUp({ works: 3, bytes: 60_000 });
    for (const id of ['a', 'b', 'c']) {
      await save(work, id);
      await work.saveRecording(id, sound(20_000));
    }
    expect(await listed(work)).toEqual(['c*', 'b*', 'a']);
    const dropped: string[] = [];
    work.onDropped = (id) => dropped.push(id);
    await save(work, 'd');
    expect(await listed(work)).toEqual(['d', 'c*', 'b*']);
    expect(dropped).toEqual(['a']);
    expect(await work.saveRecording('d', sound(60_001))).toMatchObject({ isKept: false, reason: 'too-large' });
    expect(await listed(work)).toEqual(['d', 'c*', 'b*']);
  });
});

describe('RecentWork of damaged storage', () => {
  it('skips unreadable entries and deletes them with the rest', async () => {
    const { backend, work } = setUp();
    await save(work, 'a');
    await save(work, 'b');
    backend.values.set(keyOf('about', 'a'), { version: 99 });
    expect(await listed(work)).toEqual(['b']);
    await expect(work.open('a')).rejects.toMatchObject({ code: 'format' });
    await work.deleteAll();
    expect(backend.values.size).toBe(0);
  });

  it.each([
    ['history', 'no JSON'],
    ['history', '{"version":1}'],
    ['history', undefined],
    ['outcome', { id: 'a', name: 'a.wav' }],
    ['outcome', undefined],
  ] as const)('rejects work with a damaged %s (%#)', async (part, value) => {
    const { backend, work } = setUp();
    await save(work, 'a');
    backend.values.set(keyOf(part, 'a'), value);
    await expect(work.open('a')).rejects.toMatchObject({ code: 'format' });
  });

  it('opens without a damaged transcript, peaks or recording', async () => {
    const { backend, work } = setUp();
    await save(work, 'a');
    for (const part of ['transcript', 'peaks', 'recording'] as const) backend.values.set(keyOf(part, 'a'), '{');
    expect(await work.open('a')).toMatchObject({ corrections: { transcript: null }, peaks: null, recording: null });
  });

  it('works without storage: nothing is listed or saved, and nothing fails unnecessarily', async () => {
    const { backend, work } = setUp();
    backend.failure = new DOMException('blocked', 'SecurityError');
    expect(await work.list()).toEqual([]);
    expect(await save(work, 'a')).toMatchObject({ isKept: false, reason: 'unavailable', error: { code: 'storage' } });
    expect(await work.saveRecording('a', sound(1))).toMatchObject({ isKept: false, reason: 'unavailable' });
    await expect(work.open('a')).rejects.toMatchObject({ code: 'storage' });
    await expect(work.delete('a')).rejects.toMatchObject({ code: 'storage' });
    await expect(work.deleteAll()).rejects.toMatchObject({ code: 'storage' });
  });

  it('lists after a temporary read failure, and reports an error if every read fails', async () => {
    const { backend, work } = setUp();
    await save(work, 'a');
    backend.failure = new DOMException('connection is closing', 'InvalidStateError');
    await expect(work.list([0, 0])).rejects.toMatchObject({ code: 'storage' });
    const listed = work.list([0, 0]);
    await Promise.resolve();
    backend.failure = null;
    expect((await listed).map(({ id }) => id)).toEqual(['a']);
  });

  it('works in Node, which has no IndexedDB', async () => {
    const work = new RecentWork();
    expect(await work.list()).toEqual([]);
    expect(await save(work, 'a')).toMatchObject({ isKept: false, reason: 'unavailable' });
  });
});
