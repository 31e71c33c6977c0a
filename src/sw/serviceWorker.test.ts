/** The events of the service worker, in a scope and a cache that the test observes. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { PageMessage, WorkerMessage } from './contract';

const BASE = 'https://example.org/app/';
const FILES: Readonly<Record<string, string>> = { 'index.html': 'page', 'models/m.onnx': 'weights', 'ort/ort.webgpu.min.mjs': 'runtime' };
const sha256 = (content: string): string => createHash('sha256').update(content).digest('base64');
const RELEASE = {
  files: Object.entries(FILES).map(([path, content], index) => ({ path, sha256: sha256(content), group: (['page', 'work', 'gpu'] as const)[index]! })),
  headers: {},
};

type Listener = (event: object) => void;
const listeners = new Map<string, Listener>();
const stored = new Map<string, Response>();
let isStorageBroken: boolean;
let isOnline: boolean;
/** Calls of the worker to its scope, such as `claim`. */
const asked: string[] = [];

interface Client {
  readonly type: string;
  readonly received: WorkerMessage[];
  readonly postMessage: (message: WorkerMessage) => void;
}
function clientOf(type: string): Client {
  const received: WorkerMessage[] = [];
  return { type, received, postMessage: (message) => received.push(message) };
}
const clients = { page: clientOf('window'), other: clientOf('window'), worker: clientOf('worker') };

beforeAll(async () => {
  vi.stubGlobal('RELEASE', RELEASE);
  vi.stubGlobal('location', new URL(`${BASE}sw.js`));
  vi.stubGlobal('registration', { scope: BASE });
  vi.stubGlobal('addEventListener', (type: string, listener: Listener) => listeners.set(type, listener));
  vi.stubGlobal('skipWaiting', () => Promise.resolve(asked.push('skipWaiting')));
  vi.stubGlobal('clients', {
    claim: () => Promise.resolve(asked.push('claim')),
    get: (id: keyof typeof clients) => Promise.resolve(clients[id]),
    matchAll: () => Promise.resolve([clients.page, clients.other]),
  });
  const cache = {
    match: (key: string) => Promise.resolve(stored.get(key)?.clone()),
    put: (key: string, response: Response) => Promise.resolve(stored.set(key, response)),
    keys: () => Promise.resolve([...stored.keys()].map((url) => new Request(url))),
    delete: ({ url }: Request) => Promise.resolve(stored.delete(url)),
  };
  vi.stubGlobal('caches', { open: () => (isStorageBroken ? Promise.reject(new Error('no storage')) : Promise.resolve(cache)) });
  vi.stubGlobal('fetch', ({ url }: Request) => {
    const content = FILES[url.slice(BASE.length)];
    return isOnline ? Promise.resolve(new Response(content === undefined ? 'not found' : `network ${content}`)) : Promise.reject(new TypeError('offline'));
  });
  await import('./serviceWorker');
});
afterAll(() => { vi.unstubAllGlobals(); });
beforeEach(() => {
  [isStorageBroken, isOnline] = [false, true];
  stored.clear();
  asked.length = 0;
  for (const { received } of Object.values(clients)) received.length = 0;
});

/** Sends an event, and waits for what keeps the worker alive. @returns the response; null if the browser handles the request itself */
async function send(type: string, facts: object = {}): Promise<Response | null> {
  const waiting: Promise<unknown>[] = [];
  let response: Promise<Response | null> = Promise.resolve(null);
  listeners.get(type)!({
    ...facts,
    waitUntil: (promise: Promise<unknown>) => waiting.push(promise),
    respondWith: (answer: Promise<Response>) => { response = answer; },
  });
  await Promise.all(waiting);
  return response;
}
const request = (path: string, init: RequestInit = {}, clientId = 'page') => send('fetch', { request: new Request(new URL(path, BASE), init), clientId });
const message = (data: PageMessage) => send('message', { data, source: clients.page });
const paths = (): string[] => [...stored.keys()].map((key) => new URL(key).pathname.slice('/app/'.length)).sort();

test('an installation stores the page, and the groups that the previous release had stored', async () => {
  await send('install');
  expect(paths()).toEqual(['index.html']);
  stored.set(`${BASE}models/old.onnx?sha256=old`, new Response('old'));
  await send('install');
  expect(paths()).toEqual(['index.html', 'models/m.onnx', 'models/old.onnx']);
  // Then no page uses the files of the previous release.
  await send('activate');
  expect(paths()).toEqual(['index.html', 'models/m.onnx']);
  expect(asked).toEqual(['claim']);
});

test('a page learns whether the files that it wants are stored, and decides when a new release takes over', async () => {
  await message({ type: 'keep', groups: ['work', 'gpu'] });
  expect(paths()).toEqual(['models/m.onnx', 'ort/ort.webgpu.min.mjs']);
  stored.clear();
  isOnline = false;
  await message({ type: 'keep', groups: ['work'] });
  expect(clients.page.received).toEqual([{ type: 'kept', complete: true }, { type: 'kept', complete: false }]);
  expect(asked).toEqual([]);
  await message({ type: 'take-over' });
  expect(asked).toEqual(['skipWaiting']);
});

test('a stored file is served offline, also with a query; another one and a broken storage need the network', async () => {
  await send('install');
  isOnline = false;
  for (const path of ['index.html', '', 'index.html?id=1#work']) expect(await (await request(path))!.text()).toBe('network page');
  await expect(request('models/m.onnx')).rejects.toThrow('offline');
  isOnline = true;
  isStorageBroken = true;
  expect(await (await request('models/m.onnx'))!.text()).toBe('network weights');
});

test('requests that are not for whole files of the release stay with the browser', async () => {
  await send('install');
  expect(await request('talk.wav')).toBeNull();
  expect(await request('index.html', { headers: { range: 'bytes=0-1' } })).toBeNull();
  expect(await request('index.html', { method: 'POST' })).toBeNull();
});

test('pages learn of requests to other origins that a worker sends', async () => {
  const address = 'https://huggingface.co/model';
  expect(await request(address, {}, 'page')).toBeNull();
  expect(clients.page.received).toEqual([]);
  expect(await request(address, {}, 'worker')).toBeNull();
  for (const { received } of [clients.page, clients.other]) expect(received).toEqual([{ type: 'outside', address }]);
  expect(clients.worker.received).toEqual([]);
});
