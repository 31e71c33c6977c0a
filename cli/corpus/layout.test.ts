import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { AtomicFile, removeTemporaryFiles, writeAtomically } from './atomicFile';
import { jsonLine, textLines } from './jsonLines';
import { corpusFiles, entrySchema, LAYOUT_VERSION, readEntries, readPlan, readRecord, type Entry } from './layout';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-layout-'));
});

const ENTRY: Entry = { id: 'a', recording: 'a', path: '/a.wav', durationSeconds: 2, shard: 0, bytes: 10, modifiedMs: 1.5 };

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('atomic files', () => {
  test('appear when they are closed, and replace the previous file', async () => {
    const path = join(folder, 'new', 'a.txt');
    await writeAtomically(path, 'old');
    const file = await AtomicFile.create(path);
    await file.write('x'.repeat(300_000));
    await file.write('y');
    expect(readFileSync(path, 'utf8')).toBe('old');
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe(`${'x'.repeat(300_000)}y`);
    expect(readdirSync(join(folder, 'new'))).toEqual(['a.txt']);
  });

  test('leave nothing behind if they are abandoned', async () => {
    const file = await AtomicFile.create(join(folder, 'a.txt'));
    await file.write('x');
    await file.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of killed processes are removed by their owner only', async () => {
    for (const name of ['.a.json.0123456789ab.tmp', '.b.json.0123456789ab.tmp', 'a.json']) writeFileSync(join(folder, name), '');
    await removeTemporaryFiles(folder, (name) => name === 'a.json');
    expect(readdirSync(folder)).toEqual(['.b.json.0123456789ab.tmp', 'a.json']);
    await removeTemporaryFiles(join(folder, 'absent'), () => true);
  });

  test('name the file in an error', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeAtomically(join(folder, 'file', 'a.txt'), '')).rejects.toThrow(/file\/a\.txt cannot be written: a part of its path is not a folder/);
  });
});

describe('lines', () => {
  test('are read from plain and compressed files', async () => {
    const text = '\uFEFF{"a":1}\r\n\r\n  \n{"b":2}';
    const expected = [{ number: 1, text: '{"a":1}' }, { number: 4, text: '{"b":2}' }];
    writeFileSync(join(folder, 'a.jsonl'), text);
    writeFileSync(join(folder, 'a.jsonl.gz'), gzipSync(text));
    expect(await collect(textLines(join(folder, 'a.jsonl')))).toEqual(expected);
    expect(await collect(textLines(join(folder, 'a.jsonl.gz')))).toEqual(expected);
  });

  test('of a missing or damaged file are an error', async () => {
    await expect(collect(textLines(join(folder, 'absent.jsonl')))).rejects.toThrow(/absent\.jsonl does not exist/);
    const whole = gzipSync('{"a":1}\n'.repeat(1000));
    writeFileSync(join(folder, 'cut.jsonl.gz'), whole.subarray(0, whole.length - 12));
    await expect(collect(textLines(join(folder, 'cut.jsonl.gz')))).rejects.toThrow(/cut\.jsonl\.gz cannot be read/);
    writeFileSync(join(folder, 'plain.jsonl.gz'), 'not gzip');
    await expect(collect(textLines(join(folder, 'plain.jsonl.gz')))).rejects.toThrow(/plain\.jsonl\.gz cannot be read/);
  });
});

describe('a corpus folder', () => {
  test('returns the entries that were written', async () => {
    const segment: Entry = { ...ENTRY, id: 'b-1.000-2.000', startSeconds: 1, endSeconds: 2, numSpeakers: 3 };
    writeFileSync(corpusFiles(folder).manifest, jsonLine(ENTRY) + jsonLine(segment));
    expect(await collect(readEntries(folder))).toEqual([ENTRY, segment]);
  });

  test('names file, line and field of an invalid entry', async () => {
    writeFileSync(corpusFiles(folder).manifest, jsonLine(ENTRY) + jsonLine({ ...ENTRY, id: '../a' }));
    await expect(collect(readEntries(folder))).rejects.toThrow(/manifest\.jsonl, line 2 is invalid at id: expected letters/);
  });

  test('without a plan, or with a newer one, is refused', async () => {
    await expect(readPlan(folder)).rejects.toThrow(/has no plan\.json\. Expected a folder that "corpus plan" wrote/);
    const plan = { version: LAYOUT_VERSION + 1, inputs: [], numShards: 1, numEntries: 0, numRefused: 0, totalSeconds: 0, shards: [] };
    writeFileSync(corpusFiles(folder).plan, JSON.stringify(plan));
    await expect(readPlan(folder)).rejects.toThrow(/plan again with this version/);
  });

  test('has no record if a file is missing, and an error if it is damaged', async () => {
    const path = corpusFiles(folder).lease('a');
    expect(await readRecord(path, entrySchema)).toBeNull();
    await writeAtomically(path, '{"id":');
    await expect(readRecord(path, entrySchema)).rejects.toThrow(/running\/a is not JSON/);
  });
});
