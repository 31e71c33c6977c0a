import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeptFiles } from './keptFiles';
import { groupOf, type Release } from './contract';

const BASE = 'https://example.org/app/';
const sha256 = (content: string): string => createHash('sha256').update(content).digest('base64');

/** Files on the server, by path. */
let served: Map<string, string>;
let asked: string[];
let stored: Map<string, Response>;

/** The used part of the Cache API, with keys as the browser writes them. */
const cache = {
  match: (key: string) => Promise.resolve(stored.get(new URL(key).href)?.clone()),
  put: (key: string, response: Response) => {
    stored.set(new URL(key).href, response);
    return Promise.resolve();
  },
  keys: () => Promise.resolve([...stored.keys()].map((url) => new Request(url))),
  delete: ({ url }: Request) => Promise.resolve(stored.delete(url)),
} as unknown as Cache;

/** A network that rejects content with another hash than requested, like browsers. */
function network(request: Request): Promise<Response> {
  const path = request.url.slice(BASE.length);
  asked.push(path);
  const content = served.get(path);
  if (content === undefined) return Promise.resolve(new Response('', { status: 404 }));
  if (request.integrity !== `sha256-${sha256(content)}`) return Promise.reject(new TypeError('integrity'));
  return Promise.resolve(new Response(content, { headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } }));
}

/** The current files of the server. */
function releaseNow(headers: Release['headers'] = {}): KeptFiles {
  const files = [...served].map(([path, content]) => ({ path, sha256: sha256(content), group: groupOf(path)! }));
  return new KeptFiles({ files, headers }, BASE, { open: () => Promise.resolve(cache), fetch: network });
}

const textAt = async (kept: KeptFiles, path: string): Promise<string | undefined> => (await kept.match(BASE + path))?.text();

beforeEach(() => {
  served = new Map([
    ['index.html', 'page one'],
    ['assets/main-a1.js', 'script one'],
    ['models/m/model.onnx', 'weights'],
    ['ort/ort-wasm-simd-threaded.asyncify.wasm', 'runtime'],
  ]);
  asked = [];
  stored = new Map();
});

describe('groups', () => {
  it.each([
    ['index.html', 'page'],
    ['assets/decode.worker-x.js', 'page'],
    ['icons/icon-192.png', 'page'],
    ['models/segmentation-3.0/model.onnx', 'work'],
    ['goldens/segmentation-3.0.zip', 'work'],
    ['ort/ort-wasm-simd-threaded.wasm', 'work'],
    ['ort/ort-wasm-simd-threaded.asyncify.wasm', 'gpu'],
    ['assets/main-x.js.map', null],
    ['sw.js', null],
  ] as const)('%s: %s', (path, group) => {
    expect(groupOf(path)).toBe(group);
  });
});

describe('kept files', () => {
  it('fetches the requested files once, and answers by path for any query', async () => {
    const kept = releaseNow();
    await kept.fetch(['page']);
    await kept.fetch(['page', 'work']);
    expect(asked).toEqual(['index.html', 'assets/main-a1.js', 'models/m/model.onnx']);
    expect(await textAt(kept, '')).toBe('page one');
    expect(await textAt(kept, 'index.html?lang=de#top')).toBe('page one');
    expect(await textAt(kept, 'models/m/model.onnx')).toBe('weights');
    expect(await kept.match(`${BASE}ort/ort-wasm-simd-threaded.asyncify.wasm`)).toBeNull();
    expect(kept.has(`${BASE}elsewhere.js`)).toBe(false);
    expect(kept.has('https://example.org/index.html')).toBe(false);
  });

  it('stores nothing with another hash, and continues later', async () => {
    const kept = releaseNow();
    served.set('assets/main-a1.js', 'script of another release');
    await expect(kept.fetch(['page'])).rejects.toThrow('integrity');
    expect(await kept.match(`${BASE}assets/main-a1.js`)).toBeNull();
    served.set('assets/main-a1.js', 'script one');
    await kept.fetch(['page']);
    expect(asked).toEqual(['index.html', 'assets/main-a1.js', 'assets/main-a1.js']);
  });

  it('reports a file that is missing on the server', async () => {
    const kept = releaseNow();
    served.delete('index.html');
    await expect(kept.fetch(['page'])).rejects.toThrow('index.html answered with status 404');
  });

  it('shares equal files with the previous release, and deletes the rest on request', async () => {
    const first = releaseNow();
    await first.fetch(['page', 'work']);
    served.set('index.html', 'page two').delete('assets/main-a1.js');
    served.set('assets/main-b2.js', 'script two');
    const second = releaseNow();
    expect(await second.groups()).toEqual(['page', 'work']);
    asked = [];
    await second.fetch(await second.groups());
    expect(asked).toEqual(['index.html', 'assets/main-b2.js']);
    // The open page continues with its own release.
    expect(await textAt(first, 'index.html')).toBe('page one');
    expect(await textAt(first, 'assets/main-a1.js')).toBe('script one');

    await second.sweep();
    expect(await first.match(`${BASE}index.html`)).toBeNull();
    expect(await textAt(second, 'index.html')).toBe('page two');
    expect(await textAt(second, 'models/m/model.onnx')).toBe('weights');
    expect(stored.size).toBe(3);
  });

  it('adds missing default headers, and removes invalid ones', async () => {
    const kept = releaseNow({ 'Cross-Origin-Embedder-Policy': 'require-corp', 'Content-Type': 'text/html' });
    await kept.fetch(['page']);
    const headers = (await kept.match(`${BASE}index.html`))?.headers;
    expect(headers?.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(headers?.get('content-type')).toBe('text/plain');
    expect(headers?.get('content-encoding')).toBeNull();
  });
});
