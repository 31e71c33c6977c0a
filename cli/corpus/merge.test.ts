import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseRttm } from '../../src/formats/rttm';
import { writeFinishedCorpus } from '../../test/corpus/finishedCorpus';
import readings from './fixtures/readers.json';
import { corpusFiles, type StoredResult } from './layout';
import { parseCommand } from './merge';
import { MERGED_FILES, mergeCorpus, type MergeOutcome, type MergeRequest } from './mergeCorpus';

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-merge-'));
  out = join(folder, 'out');
  writeFinishedCorpus(folder);
});

const merge = (options: Partial<MergeRequest> = {}): Promise<MergeOutcome> => mergeCorpus({ folder, out, allowMissing: false, allowMixed: false, ...options });
const text = (name: string, from = out): string => readFileSync(join(from, name), 'utf8');
const rows = (name: string): Record<string, unknown>[] => text(name).trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
const MEETING = 'meeting';

function change(id: string, changes: Partial<StoredResult>): void {
  const path = corpusFiles(folder).result(id);
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as StoredResult), ...changes }));
}

describe('merged files', () => {
  test('are the bytes that Lhotse and NeMo have read', async () => {
    await merge();
    const hashes = MERGED_FILES.filter((name) => name !== 'results.jsonl').map((name) => {
      const bytes = text(name).replaceAll(out, 'OUT');
      return [name, createHash('sha256').update(bytes).digest('hex')];
    });
    // If the change is intended, run scripts/corpusReaders.ts again.
    expect(Object.fromEntries(hashes)).toEqual(readings.sha256);
  });

  test('mean the same to Lhotse and NeMo', async () => {
    await merge();
    const { lhotse, nemo } = readings;
    expect(lhotse.segments).toEqual(rows('supervisions.jsonl').map((row) => ['id', 'recording_id', 'start', 'duration', 'channel', 'speaker'].map((key) => row[key])));
    expect(lhotse.rttmDiffersBySeconds).toBeLessThanOrEqual(0.001);
    const turns = parseRttm(text('corpus.rttm'));
    expect(lhotse.rttmRecordings).toEqual([...turns.keys()].sort());
    expect(nemo.items).toEqual(rows('nemo.jsonl').map((row) => [row.audio_filepath, row.offset, row.duration]));
    expect(Object.keys(nemo.recordings)).toEqual(rows('nemo.jsonl').map(({ uniq_id }) => uniq_id));
    const labels = Object.values(nemo.recordings).flatMap((recording): string[] => recording.labels);
    const starts = [...turns.values()].flat().map(({ startSeconds, speaker }) => `${startSeconds} ${speaker}`);
    expect(labels.map((label) => label.split(' ')).map(([start, , speaker]) => `${Number(start)} ${speaker}`)).toEqual(starts);
  });

  test('depend neither on the number of shards nor on the speed', async () => {
    await merge();
    const other = mkdtempSync(join(tmpdir(), 'voxlane-merge-'));
    writeFinishedCorpus(other, { numShards: 3, secondsPerFile: 7 });
    const before = MERGED_FILES.map((name) => text(name));
    const rttm = readdirSync(join(out, 'rttm')).map((name) => text(join('rttm', name)));
    await merge({ folder: other });
    expect(MERGED_FILES.slice(0, 3).map((name) => text(name))).toEqual(before.slice(0, 3));
    expect(readdirSync(join(out, 'rttm')).map((name) => text(join('rttm', name)))).toEqual(rttm);
    expect(text('results.jsonl')).not.toBe(before[3]);
  });

  test('have the order of the manifest, times from the start of the file, and distinct speakers', async () => {
    expect(await merge()).toEqual({ numDone: 6, numFailed: 1, numMissing: 0, numRefused: 1, numTurns: 9, audioSeconds: 221.5 });
    const turns = parseRttm(text('corpus.rttm'));
    expect([...turns.keys()]).toEqual([MEETING, 'a-x', 'b-x', 'call']);
    expect(turns.get('call')?.map(({ startSeconds, speaker }) => [startSeconds, speaker])).toEqual([
      [10.5, 'call-10.000-20.000-SPEAKER_00'],
      [13, 'call-10.000-20.000-SPEAKER_01'],
      [30, 'call-30.000-35.500-SPEAKER_00'],
    ]);
    // From microseconds it would be 4.793.
    expect(text('corpus.rttm')).toContain(`SPEAKER ${MEETING} 1 181.201 4.792 <NA> <NA> SPEAKER_00`);
    expect(readdirSync(join(out, 'rttm')).map((name) => text(join('rttm', name))).join('').length).toBe(text('corpus.rttm').length);
    expect(rows('supervisions.jsonl')[0]).toEqual({
      id: 'meeting-00000', recording_id: 'meeting one', start: 0.030969, duration: 2.469031, channel: 0, speaker: 'meeting-SPEAKER_01',
    });
    expect(rows('nemo.jsonl').map(({ uniq_id, offset, duration, num_speakers }) => [uniq_id, offset, duration, num_speakers])).toEqual([
      [MEETING, 0, 200, 2], ['a-x', 0, 2, 1], ['b-x', 0, 1, 2], ['call-10.000-20.000', 10, 10, 2], ['call-30.000-35.500', 30, 5.5, 1], ['silent', 0, 3, 0],
    ]);
    expect(rows('results.jsonl').map(({ id, status }) => [id, status])).toEqual([
      [MEETING, 'done'], ['a-x', 'done'], ['b-x', 'done'], ['call-10.000-20.000', 'done'], ['call-30.000-35.500', 'done'],
      ['silent', 'silent'], ['broken', 'failed'], [undefined, 'refused'],
    ]);
  });
});

describe('a merge', () => {
  test('refuses gaps, and leaves the previous files', async () => {
    await merge();
    const before = text('corpus.rttm');
    rmSync(corpusFiles(folder).result('a-x'));
    await expect(merge()).rejects.toThrow(/1 of 7 recordings have no result yet, for example a-x\. Finish them with "corpus run"/);
    expect(text('corpus.rttm')).toBe(before);
    expect(readdirSync(out).sort()).toEqual([...MERGED_FILES, 'rttm'].sort());
    expect(await merge({ allowMissing: true })).toMatchObject({ numDone: 5, numMissing: 1 });
    expect(text('corpus.rttm')).not.toContain('a-x');
    expect(rows('results.jsonl')[1]).toMatchObject({ id: 'a-x', status: 'missing' });
  });

  test('does not take the result of another file with the same id', async () => {
    change('a-x', { path: '/elsewhere/x.wav' });
    await expect(merge()).rejects.toThrow(/for example a-x/);
  });

  test('refuses results of different versions or options, except those of the entry', async () => {
    change('a-x', { options: { preset: 'campplus', speed: 'fast', speakers: 2, startSeconds: 1 } });
    await merge();
    change('a-x', { engineVersion: '0.1.0' });
    await expect(merge()).rejects.toThrow(/differ in version or options: meeting has version 0\.2\.0, .* a-x has version 0\.1\.0/);
    change('a-x', { engineVersion: '0.2.0', options: { preset: 'campplus', speed: 'exact' } });
    await expect(merge()).rejects.toThrow(/merge both by --allow-mixed/);
    expect(await merge({ allowMixed: true })).toMatchObject({ numDone: 6 });
  });

  test('removes what a killed one has left', async () => {
    const left = ['.rttm.0123456789ab.tmp', '.corpus.rttm.0123456789ab.tmp', '.nemo.jsonl.ba9876543210.tmp'].map((name) => join(out, name));
    mkdirSync(left[0]!, { recursive: true });
    for (const path of [join(left[0]!, 'old.rttm'), left[1]!, left[2]!]) writeFileSync(path, 'x');
    for (const path of left.slice(0, 2)) utimesSync(path, 1000, 1000);
    await merge();
    // It can be of a merge that runs.
    expect(existsSync(left[2]!)).toBe(true);
    rmSync(left[2]!);
    expect(readdirSync(out).sort()).toEqual([...MERGED_FILES, 'rttm'].sort());
    expect(readdirSync(join(out, 'rttm'))).not.toContain('old.rttm');
  });

  test('replaces no file that is not from a merge', async () => {
    mkdirSync(join(out, 'rttm'), { recursive: true });
    const reference = join(out, 'rttm', 'a-x.rttm');
    writeFileSync(reference, 'reference');
    await expect(merge()).rejects.toThrow(`${reference} is not from a merge of this corpus, and the merge would replace it`);
    expect(readFileSync(reference, 'utf8')).toBe('reference');
    rmSync(reference);
    writeFileSync(join(out, 'nemo.jsonl'), '{"audio_filepath":"a.wav"}\n');
    await expect(merge()).rejects.toThrow('nemo.jsonl is not from a merge');
    writeFileSync(join(out, 'results.jsonl'), '{"audio_filepath":"a.wav"}\n');
    await expect(merge()).rejects.toThrow('results.jsonl is not from a merge');
    for (const name of ['nemo.jsonl', 'results.jsonl']) rmSync(join(out, name));
    await merge();
    await merge();
    writeFileSync(join(out, 'rttm', 'mine.rttm'), 'mine');
    await expect(merge()).rejects.toThrow('mine.rttm is not from a merge');
    expect(readdirSync(out).sort()).toEqual([...MERGED_FILES, 'rttm'].sort());
  });

  test('at the same time as another leaves complete files', async () => {
    const totals = await Promise.all([merge(), merge(), merge()]);
    expect(totals.map(({ numDone }) => numDone)).toEqual([6, 6, 6]);
    expect(readdirSync(out).sort()).toEqual([...MERGED_FILES, 'rttm'].sort());
    expect(readdirSync(join(out, 'rttm')).map((name) => text(join('rttm', name))).join('').length).toBe(text('corpus.rttm').length);
  });

  test('does not take the result of another segment or number of speakers with the same id', async () => {
    const options = { preset: 'campplus', speed: 'fast' };
    change('call-10.000-20.000', { options: { ...options, startSeconds: 20, durationSeconds: 10 } });
    await expect(merge()).rejects.toThrow(/1 of 7 recordings .* call-10/);
    change('call-10.000-20.000', { options: { ...options, startSeconds: 12, durationSeconds: 8 } });
    await merge();
    change('meeting', { options: { ...options, speakers: 3 } });
    await expect(merge()).rejects.toThrow(/1 of 7 recordings .* meeting/);
  });

  test('names a damaged result', async () => {
    writeFileSync(corpusFiles(folder).result('b-x'), '{"id":');
    await expect(merge()).rejects.toThrow(/results\/b-x\.json is not JSON/);
  });
});

test('arguments are checked', () => {
  expect(parseCommand(['dir'])).toEqual({ folder: 'dir', out: 'dir', allowMissing: false, allowMixed: false });
  expect(() => parseCommand([])).toThrow(/expected one corpus folder/);
  expect(() => parseCommand(['a', 'b'])).toThrow(/expected one corpus folder/);
});
