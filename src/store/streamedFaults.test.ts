/** Faults of servers and connections while a file is stored: the file is correct, or the error is typed and nothing counts as stored. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hastyTools, memoryLocks, MemoryStorage } from '../../test/store/memory';
import { type Answer, cutAfter, ignoreRange, ModelServer, noiseBytes, refuseRange, type Served, status, whole } from '../../test/store/modelServer';
import { sha256Hex } from '../util/hash';
import { ModelCache } from './cache';
import { type GetModelOptions, ModelStore } from './modelStore';
import type { AcceptedFile } from './sources';

const PIECE_BYTES = 512;
const BYTES = noiseBytes(3000, 1);
const OTHER = noiseBytes(BYTES.length, 2);
const GOOD: Served = { bytes: BYTES, tag: '"one"' };
/** Byte at which the first connection breaks. */
const CUT = 1100;

let server: ModelServer;
let accepted: AcceptedFile;
beforeAll(async () => {
  server = await ModelServer.open(GOOD);
  const hub = { repository: 'owner/model', revision: 'e'.repeat(40), file: 'm.bin' };
  accepted = { name: 'm.bin', bytes: BYTES.length, license: 'MIT', sha256: await sha256Hex(BYTES), hub };
});
afterEach(() => {
  server.reset();
  server.served = GOOD;
});
afterAll(() => server.close());

async function storeModel(storage: MemoryStorage, options: Partial<GetModelOptions> = {}): Promise<void> {
  const store = new ModelStore({ cache: new ModelCache(storage), downloads: hastyTools(), withLock: memoryLocks() });
  await store.storeModel('m', [accepted], { base: 'http://base.invalid/', hub: server.address, ...options });
}

async function expectStored(storage: MemoryStorage): Promise<void> {
  const cache = new ModelCache(storage);
  const [entry, ...others] = await cache.list();
  expect(others).toEqual([]);
  const source = (await cache.open(entry!))!;
  expect(Buffer.from(await source.read(0, BYTES.length)).equals(BYTES)).toBe(true);
  expect(storage.pieces.size).toBe(Math.ceil(BYTES.length / PIECE_BYTES));
}

/** A whole answer with other facts. */
const as = (served: Partial<Served>): Answer => (request, response, current) => { whole(request, response, { ...current, ...served }); };

/** A partial answer with its own header and bytes. */
const part = (range: string | null, bytes: Uint8Array, tag = '"one"'): Answer => (_request, response) => {
  response.writeHead(206, { 'Content-Length': bytes.length, ETag: tag, ...(range !== null && { 'Content-Range': range }) }).end(bytes);
};

/** Sends no length, so that the end of the connection is the end of the file. */
const unmeasured = (bytes: Uint8Array): Answer => (_request, response) => { response.writeHead(200, { ETag: '"one"' }).end(bytes); };

const rangeFrom = (start: number, total = BYTES.length): string => `bytes ${start}-${total - 1}/${total}`;
const often = (answer: Answer): Answer[] => Array.from({ length: 20 }, () => answer);
const alternately = (...answers: readonly Answer[]): Answer[] => Array.from({ length: 10 }, () => answers).flat();

test.each([0, 1, 511, 512, 513, 1023, 1024, 2047, 2999])('a connection that breaks after %i bytes is resumed there', async (cut) => {
  const storage = new MemoryStorage(PIECE_BYTES);
  server.script.push(cutAfter(cut));
  await storeModel(storage);
  expect(server.asked).toEqual([0, cut]);
  await expectStored(storage);
});

test('a connection that breaks after each piece, on both sides of its end', async () => {
  const storage = new MemoryStorage(PIECE_BYTES);
  server.script.push(cutAfter(511), cutAfter(1), cutAfter(513), cutAfter(1000));
  await storeModel(storage);
  expect(server.asked).toEqual([0, 511, 512, 1025, 2025]);
  await expectStored(storage);
});

describe('the file is correct if, after an interruption,', () => {
  test.each<[string, Answer[], number[]]>([
    ['the server sends the whole file in place of a range', [ignoreRange], [0, CUT]],
    ['the server has no ranges and closes the connection', often(refuseRange), [0, CUT, CUT, CUT, CUT, 0]],
    ['the server answers 416', [status(416)], [0, CUT, 0]],
    ['the ETag differs', [as({ tag: '"two"' }), as({ tag: '"two"' })], [0, CUT, 0]],
    ['the server has no ETag', [as({ tag: null })], [0, CUT]],
    ['the range begins elsewhere', [part(rangeFrom(CUT - 1), BYTES.subarray(CUT - 1))], [0, CUT, 0]],
    ['the range is one of a longer file', [part(rangeFrom(CUT, 4000), BYTES.subarray(CUT))], [0, CUT, 0]],
    ['the range is not described', [part(null, BYTES.subarray(CUT))], [0, CUT]],
    ['the range is not described, and begins elsewhere', [part(null, BYTES.subarray(CUT - 1, -1))], [0, CUT, 0]],
    ['the range is longer than the rest', [part(rangeFrom(CUT), BYTES.subarray(CUT - 1))], [0, CUT, 0]],
    ['the range is shorter than the rest', [part(rangeFrom(CUT), BYTES.subarray(CUT, 2000))], [0, CUT, 2000]],
    ['the rest is of another file with the same ETag', [part(rangeFrom(CUT), OTHER.subarray(CUT))], [0, CUT, 0]],
    ['the server answers 503', [status(503)], [0, CUT, CUT]],
  ])('%s', async (_name, answers, asked) => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.script.push(cutAfter(CUT), ...answers);
    await storeModel(storage);
    expect(server.asked).toEqual(asked);
    await expectStored(storage);
  });

  test('the beginning was of another file with the same ETag', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.script.push((request, response) => { cutAfter(CUT)(request, response, { ...GOOD, bytes: OTHER }); });
    await storeModel(storage);
    expect(server.asked).toEqual([0, CUT, 0]);
    await expectStored(storage);
  });
});

describe('a typed error, and a correct file after the server is repaired, if', () => {
  let version = 0;
  const newVersion: Answer = (request, response, served) => { cutAfter(CUT)(request, response, { ...served, tag: `"${++version}"` }); };
  test.each<[string, Answer[], string, RegExp]>([
    ['the content is wrong', often(as({ bytes: OTHER })), 'model-altered', /m\.bin has SHA-256 /],
    ['the file is shorter', often(as({ bytes: BYTES.subarray(0, 2000) })), 'model-altered', /m\.bin has 2000 bytes/],
    ['the file is longer', often(as({ bytes: noiseBytes(3001, 1) })), 'model-altered', /m\.bin has more than 3000 bytes/],
    ['the file is empty', often(as({ bytes: new Uint8Array(0) })), 'model-altered', /m\.bin has 0 bytes/],
    ['the file is shorter, of unknown length', often(unmeasured(BYTES.subarray(0, 2000))), 'model-download', /6 attempts.*the connection ended early/],
    ['each answer is of another version and breaks', often(newVersion), 'model-download', /6 attempts/],
    ['all ranges are refused with 416 and whole files break', alternately(cutAfter(CUT), status(416)), 'model-download', /6 attempts/],
    ['the whole file is answered with a part', often(part(rangeFrom(0), BYTES)), 'model-download', /6 attempts.*the file changed on the server/],
    ['no connection delivers a byte', often(cutAfter(0)), 'model-download', /6 attempts.*, after 0 of 3000 bytes/],
    ['the file is gone after an interruption', [cutAfter(CUT), ...often(status(404))], 'model-missing', /answered 404/],
  ])('%s', async (_name, answers, code, problem) => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.script.push(...answers);
    await expect(storeModel(storage)).rejects.toMatchObject({ code, problem: expect.stringMatching(problem) as string });
    expect(storage.entries.size).toBe(0);
    server.reset();
    await storeModel(storage);
    await expectStored(storage);
  });
});
