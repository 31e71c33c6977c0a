import { afterEach, describe, expect, it, vi } from 'vitest';
import { VoxlaneError } from './errors';
import { fetchFile } from './fetch';

const notFetched = (why: string, cause?: unknown): VoxlaneError => new VoxlaneError({ code: 'audio-missing', problem: why }, { cause });
const text = (signal?: AbortSignal): Promise<string> => fetchFile('https://example.org/file', (response) => response.text(), notFetched, signal);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('fetchFile', () => {
  it('returns the content of the file', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('content')));
    expect(await text()).toBe('content');
  });

  it.each([
    [true, 'the server could not be reached'],
    [false, 'this device is offline'],
  ])('reports a missing answer in plain words, online: %s', async (onLine, problem) => {
    vi.stubGlobal('navigator', { onLine });
    const cause = new TypeError('Failed to fetch');
    vi.stubGlobal('fetch', () => Promise.reject(cause));
    await expect(text()).rejects.toMatchObject({ code: 'audio-missing', problem, cause });
  });

  it('reports the status of the answer', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('', { status: 404, statusText: 'Not Found' })));
    await expect(text()).rejects.toMatchObject({ problem: 'the server answered 404 Not Found' });
  });

  const brokenBody = (): Response =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.error(new TypeError('network error'));
        },
      }),
    );

  it('reports that the file did not arrive completely in two attempts', async () => {
    const request = vi.fn(() => Promise.resolve(brokenBody()));
    vi.stubGlobal('fetch', request);
    await expect(text()).rejects.toMatchObject({ problem: 'the connection ended before the whole file arrived' });
    expect(request).toHaveBeenCalledTimes(2);
  });

  it('fetches a file again, without the cache, if the connection ended in mid-file', async () => {
    const request = vi.fn((_address: string, _options: RequestInit) => Promise.resolve(new Response('content')));
    request.mockResolvedValueOnce(brokenBody());
    vi.stubGlobal('fetch', request);
    expect(await text()).toBe('content');
    expect(request.mock.calls.map(([, { cache }]) => cache)).toEqual([undefined, 'reload']);
  });

  it('does not fetch a file again after a cancellation', async () => {
    const abort = new AbortController();
    const request = vi.fn(() => {
      abort.abort();
      return Promise.resolve(brokenBody());
    });
    vi.stubGlobal('fetch', request);
    await expect(text(abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(request).toHaveBeenCalledTimes(1);
  });

  it('passes an error of the reader on, and detects a canceled request', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('')));
    const refused = new VoxlaneError({ code: 'format', problem: 'no such format' });
    await expect(fetchFile('https://example.org/file', () => Promise.reject(refused), notFetched)).rejects.toBe(refused);
    const abort = new AbortController();
    abort.abort();
    vi.stubGlobal('fetch', () => Promise.reject(new DOMException('aborted', 'AbortError')));
    await expect(text(abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });
});
