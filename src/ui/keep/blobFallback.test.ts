import { describe, expect, it } from 'vitest';
import type { KeepBackend } from './backend';
import { withBlobFallback } from './blobFallback';
import { MemoryBackend } from '../../../test/ui/keptWork';

const SOUND = new Blob(['sound'], { type: 'audio/wav' });

/** As WebKit in a private window: numbers, texts and bytes are kept, Blobs are not. */
class WithoutBlobs extends MemoryBackend {
  override async write(...[key, change, entries]: Parameters<KeepBackend['write']>): Promise<boolean> {
    if (entries.some(([, value]) => value instanceof Blob)) throw new Error('the transaction was aborted');
    return super.write(key, change, entries);
  }
}

describe('withBlobFallback', () => {
  it('keeps the bytes where Blobs are refused, and gives them back as a Blob', async () => {
    const backend = withBlobFallback(new WithoutBlobs());
    expect(await backend.write('about', () => ({ version: 1 }), [['recording', SOUND], ['history', 'text']])).toBe(true);
    const kept = (await backend.get('recording')) as Blob;
    expect([await kept.text(), kept.type]).toEqual(['sound', 'audio/wav']);
    expect(await backend.get('history')).toBe('text');
    expect(await backend.keys()).toEqual(expect.arrayContaining(['about', 'recording', 'history']));
  });

  it('keeps the Blob itself where that works', async () => {
    const inner = new MemoryBackend();
    await withBlobFallback(inner).write('about', () => ({}), [['recording', SOUND]]);
    expect(inner.values.get('recording')).toBeInstanceOf(Blob);
  });

  it('leaves other failures as they are', async () => {
    const failing = (error: Error): KeepBackend =>
      withBlobFallback(Object.assign(new MemoryBackend(), { write: () => Promise.reject(error) }));
    const blocked = new Error('storage is blocked');
    await expect(failing(blocked).write('about', () => ({}), [['history', 'text']])).rejects.toBe(blocked);
    await expect(failing(blocked).write('about', () => ({}), [['recording', SOUND]])).rejects.toBe(blocked);
    const full = new DOMException('no room', 'QuotaExceededError');
    await expect(failing(full).write('about', () => ({}), [['recording', SOUND]])).rejects.toBe(full);
  });
});
