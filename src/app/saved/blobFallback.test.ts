import { describe, expect, it } from 'vitest';
import { withBlobFallback } from './backend';
import { MemoryBackend } from '../../../test/app/keptWork';

const SOUND = new Blob(['sound'], { type: 'audio/wav' });

describe('withBlobFallback', () => {
  it('stores the bytes if Blobs are rejected, and returns them as a Blob', async () => {
    const inner = new MemoryBackend();
    let asked = 0;
    const backend = withBlobFallback(inner, () => {
      asked += 1;
      return Promise.resolve(false);
    });
    expect(await backend.write('about', () => ({ version: 1 }), [['recording', SOUND], ['history', 'text']])).toBe(true);
    await backend.write('about', () => ({ version: 1 }), [['recording', SOUND]]);
    expect(asked).toBe(1);
    expect([...inner.values.values()].some((value) => value instanceof Blob)).toBe(false);
    const kept = (await backend.get('recording')) as Blob;
    expect([await kept.text(), kept.type]).toEqual(['sound', 'audio/wav']);
    expect(await backend.get('history')).toBe('text');
    expect(await backend.keys()).toEqual(expect.arrayContaining(['about', 'recording', 'history']));
  });

  it('stores the Blob itself if possible, and checks only if there is one', async () => {
    const inner = new MemoryBackend();
    let asked = 0;
    const backend = withBlobFallback(inner, () => {
      asked += 1;
      return Promise.resolve(true);
    });
    await backend.write('about', () => ({}), [['history', 'text']]);
    expect(asked).toBe(0);
    await backend.write('about', () => ({}), [['recording', SOUND]]);
    expect(inner.values.get('recording')).toBeInstanceOf(Blob);
    expect(await (await (backend.get('recording') as Promise<Blob>)).text()).toBe('sound');
  });
});
