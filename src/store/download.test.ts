import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../util/errors';
import { ModelCache } from './cache';
import {
  type Timer,
  afterTimeout,
  browserDownloadTools,
  download,
  type DownloadProgress,
  type DownloadRequest,
} from './download';
import { hastyTools, MemoryStorage } from '../../test/store/memory';
import {
  cutAfter,
  ignoreRange,
  ModelServer,
  noiseBytes,
  refuseRange,
  stallAfter,
  status,
  webPageAs,
  whole,
} from '../../test/store/modelServer';

const PIECE_BYTES = 40_000;
const BYTES = noiseBytes(300_001, 1);
const OTHER = noiseBytes(BYTES.length, 2);
const sha256 = createHash('sha256').update(BYTES).digest('hex');

let server: ModelServer;
beforeAll(async () => {
  server = await ModelServer.open({ bytes: BYTES, tag: '"one"' });
});
afterEach(() => {
  server.reset();
  server.served = { bytes: BYTES, tag: '"one"' };
});
afterAll(() => server.close());

const wanted = (): DownloadRequest => ({
  address: server.address,
  bytes: BYTES.length,
  sha256,
  kept: null,
  httpCache: 'no-store',
});

const fetched = async (changes: Partial<DownloadRequest> = {}, tools = hastyTools()): Promise<boolean> =>
  Buffer.from(await download({ ...wanted(), ...changes }, tools)).equals(BYTES);

const expectFailure = async (code: ErrorCode, problem: RegExp, changes: Partial<DownloadRequest> = {}): Promise<void> => {
  await expect(fetched(changes)).rejects.toMatchObject({ code, problem: expect.stringMatching(problem) as string });
};

/** The same file in the same storage, as on a new visit. */
const keptIn = (storage: MemoryStorage): DownloadRequest['kept'] => new ModelCache(storage).file('m', sha256, BYTES.length);

describe('a connection that fails', () => {
  test('no failure: one request, and progress up to the end', async () => {
    const progress: DownloadProgress[] = [];
    expect(await fetched({ onProgress: (step) => progress.push(step) })).toBe(true);
    expect(server.asked).toEqual([0]);
    expect(progress.at(-1)).toEqual({ receivedBytes: BYTES.length, totalBytes: BYTES.length });
    const received = progress.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  test('interrupted twice: resumes', async () => {
    server.script.push(cutAfter(100_000), cutAfter(50_000));
    expect(await fetched()).toBe(true);
    expect(server.asked).toEqual([0, 100_000, 150_000]);
  });

  test('stalls before the headers, then in mid-file', async () => {
    server.script.push(stallAfter(-1), stallAfter(70_000));
    expect(await fetched()).toBe(true);
    expect(server.asked).toEqual([0, 0, 70_000]);
  });

  test('503 twice, then success; each wait is twice the previous one', async () => {
    server.script.push(status(503), status(503));
    const waits: number[] = [];
    expect(await fetched({}, hastyTools((wait) => waits.push(wait)))).toBe(true);
    expect(waits).toEqual([1000, 2000]);
  });

  test('429 with Retry-After: waits for that time, but at most a minute', async () => {
    server.script.push(status(429, { 'Retry-After': '7' }), status(503, { 'Retry-After': '86400' }));
    const waits: number[] = [];
    expect(await fetched({}, hastyTools((wait) => waits.push(wait)))).toBe(true);
    expect(waits).toEqual([7000, 60_000]);
  });

  test('permanently: fails after the last attempt, with the last reason', async () => {
    for (let failure = 0; failure < browserDownloadTools.maxFailures; failure++) server.script.push(status(502));
    await expectFailure('model-download', /6 attempts.*answered 502, after 0 of 300001 bytes/);
    expect(server.asked).toHaveLength(browserDownloadTools.maxFailures);
  });

  test('often, but with progress each time: does not fail', async () => {
    const bytes = noiseBytes(3_000_000, 3);
    server.served = { bytes, tag: null };
    // More interruptions than the maximum number of consecutive failures.
    for (let cut = 0; cut < 8; cut++) server.script.push(cutAfter(300_000));
    const request = { ...wanted(), bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    expect(Buffer.from(await download(request, hastyTools())).equals(bytes)).toBe(true);
  });
});

describe('a server that does not resume', () => {
  test('sends the whole file instead of the rest: starts again with it', async () => {
    server.script.push(cutAfter(100_000), ignoreRange);
    const received: number[] = [];
    expect(await fetched({ onProgress: ({ receivedBytes }) => received.push(receivedBytes) })).toBe(true);
    expect(server.asked).toEqual([0, 100_000]);
    expect(received).toContain(0);
  });

  test('rejects cross-origin range requests: the last attempt requests the whole file', async () => {
    server.script.push(cutAfter(100_000), ...Array.from({ length: 10 }, () => refuseRange));
    expect(await fetched()).toBe(true);
    expect(server.asked.at(-1)).toBe(0);
  });

  test('has another version by then, with another tag', async () => {
    server.served = { bytes: OTHER, tag: '"old"' };
    server.script.push(cutAfter(100_000), (request, response) => {
      server.served = { bytes: BYTES, tag: '"new"' };
      whole(request, response, server.served);
    });
    expect(await fetched()).toBe(true);
    expect(server.asked).toEqual([0, 100_000, 0]);
  });

  test('has another version by then, without a tag: the hash reveals it', async () => {
    server.served = { bytes: OTHER, tag: null };
    server.script.push(cutAfter(100_000), (request, response) => {
      server.served = { bytes: BYTES, tag: null };
      whole(request, response, server.served);
    });
    expect(await fetched()).toBe(true);
    expect(server.asked).toEqual([0, 100_000, 0]);
  });

  test('has a shorter version by then', async () => {
    server.script.push(cutAfter(100_000), status(416));
    expect(await fetched()).toBe(true);
    expect(server.asked).toEqual([0, 100_000, 0]);
  });
});

describe('a wrong answer is rejected immediately', () => {
  test.each([
    ['other bytes', OTHER, /has SHA-256/],
    ['a shorter file', BYTES.subarray(0, 1000), /has 1000 bytes/],
    ['no bytes', BYTES.subarray(0, 0), /has 0 bytes/],
    ['a longer file', noiseBytes(BYTES.length + 1, 1), /has more than 300001 bytes/],
  ])('%s', async (_name, bytes, problem) => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.served = { bytes, tag: null };
    await expectFailure('model-altered', problem, { kept: keptIn(storage) });
    expect(server.asked).toHaveLength(1);
    expect(storage.pieces.size).toBe(0);
  });

  test.each(['text/html; charset=utf-8', 'application/octet-stream'])('a web page as %s', async (contentType) => {
    server.script.push(webPageAs(contentType));
    await expectFailure('model-missing', /a web page instead/);
    expect(server.asked).toHaveLength(1);
  });

  test.each([401, 403, 404, 410])('status %i', async (code) => {
    server.script.push(status(code));
    await expectFailure('model-missing', new RegExp(`answered ${code}`));
    expect(server.asked).toHaveLength(1);
  });

  test("but a possibly outdated copy of the browser is requested once more, bypassing its cache", async () => {
    const modes: (RequestCache | undefined)[] = [];
    const tools = hastyTools();
    const fetch: typeof globalThis.fetch = (input, init) => {
      modes.push(init?.cache);
      return tools.fetch(input, init);
    };
    server.script.push((request, response) => {
      whole(request, response, { bytes: OTHER, tag: null });
    });
    expect(await fetched({ httpCache: 'no-cache' }, { ...tools, fetch })).toBe(true);
    expect(modes).toEqual(['no-cache', 'reload']);
  });
});

describe('canceling', () => {
  test('before, and in mid-file', async () => {
    await expectFailure('cancelled', /canceled/, { signal: AbortSignal.abort() });
    expect(server.asked).toHaveLength(0);

    server.script.push(stallAfter(50_000));
    const inFile = new AbortController();
    const onProgress = ({ receivedBytes }: DownloadProgress): void => {
      if (receivedBytes === 50_000) inFile.abort();
    };
    await expectFailure('cancelled', /canceled/, { signal: inFile.signal, onProgress });
    expect(server.asked).toEqual([0]);
  });

  test('during a wait, which ends immediately', async () => {
    server.script.push(status(503, { 'Retry-After': '60' }));
    const abort = new AbortController();
    const tools = hastyTools(() => {
      queueMicrotask(() => {
        abort.abort();
      });
    });
    // A whole minute, in which the test would time out.
    const after: Timer = (milliseconds, action) =>
      tools.after(milliseconds, milliseconds === 60_000 ? () => afterTimeout(milliseconds, action) : action);
    await expect(fetched({ signal: abort.signal }, { ...tools, after })).rejects.toMatchObject({ code: 'cancelled' });
    expect(server.asked).toEqual([0]);
  });

  test('keeps the received bytes for the next visit, in complete pieces', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    server.script.push(stallAfter(100_000));
    const abort = new AbortController();
    const onProgress = ({ receivedBytes }: DownloadProgress): void => {
      if (receivedBytes === 100_000) abort.abort();
    };
    await expectFailure('cancelled', /canceled/, { kept: keptIn(storage), signal: abort.signal, onProgress });
    expect(await fetched({ kept: keptIn(storage) })).toBe(true);
    expect(server.asked).toEqual([0, 2 * PIECE_BYTES]);
  });
});

describe('data of an earlier visit', () => {
  /** Storage with the first two pieces. */
  const begun = async (bytes = BYTES, tag = '"one"'): Promise<MemoryStorage> => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await keptIn(storage)?.write(bytes, 2 * PIECE_BYTES + 5, tag);
    expect(storage.pieces.size).toBe(2);
    return storage;
  };

  test('is damaged: fetched and stored again', async () => {
    const storage = await begun(OTHER);
    expect(await fetched({ kept: keptIn(storage) })).toBe(true);
    expect(server.asked).toEqual([2 * PIECE_BYTES, 0]);
    expect(Buffer.concat([...storage.pieces.values()].map(({ bytes }) => bytes)).equals(BYTES)).toBe(true);
  });

  test('has another version: fetched again', async () => {
    const storage = await begun(BYTES, '"older"');
    expect(await fetched({ kept: keptIn(storage) })).toBe(true);
    expect(server.asked).toEqual([2 * PIECE_BYTES, 0]);
  });

  test('is the whole file: no request is sent', async () => {
    const storage = new MemoryStorage(PIECE_BYTES);
    await keptIn(storage)?.write(BYTES, BYTES.length, null);
    expect(await fetched({ kept: keptIn(storage) })).toBe(true);
    expect(server.asked).toEqual([]);
  });
});
