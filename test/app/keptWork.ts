import { annotationOf } from '../../src/editing/annotationOf';
import type { DiarizationResult } from '../../src/engine/types';
import type { Outcome } from '../../src/app/state';
import { sizeOf } from '../../src/app/saved/records';
import type { KeepBackend } from '../../src/app/saved/backend';

/** An in-memory backend that clones values like IndexedDB and can simulate failures. */
export class MemoryBackend implements KeepBackend {
  readonly values = new Map<string, unknown>();
  /** Bytes by key for each write. */
  readonly written: Record<string, number>[] = [];
  quotaBytes = Infinity;
  /** Error thrown by every call; null if the storage works. */
  failure: Error | null = null;

  async get(key: string): Promise<unknown> {
    await this.#turn();
    return structuredClone(this.values.get(key));
  }

  async getAll(keys: readonly string[]): Promise<unknown[]> {
    await this.#turn();
    return keys.map((key) => structuredClone(this.values.get(key)));
  }

  async keys(): Promise<string[]> {
    await this.#turn();
    return [...this.values.keys()];
  }

  async write(key: string, change: (value: unknown) => object | null, entries: readonly (readonly [string, unknown])[]): Promise<boolean> {
    await this.#turn();
    const next = change(structuredClone(this.values.get(key)));
    if (next === null) return false;
    const all = [[key, next] as const, ...entries];
    const after = new Map([...this.values, ...all]);
    const bytes = [...after.values()].reduce<number>((sum, value) => sum + sizeOf(value), 0);
    if (bytes > this.quotaBytes) throw new DOMException('no room', 'QuotaExceededError');
    for (const [name, value] of all) this.values.set(name, structuredClone(value));
    this.written.push(Object.fromEntries(all.map(([name, value]) => [name, sizeOf(value)])));
    return true;
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#turn();
    for (const key of keys) this.values.delete(key);
  }

  /** Lets other callers run in between, as in a browser. */
  async #turn(): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
  }
}

/** An engine outcome with a few turns and 1,000 bytes of voices. */
export function outcomeNamed(id: string): Outcome {
  const turns = [
    { startSeconds: 0, endSeconds: 4, speaker: 'SPEAKER_00', confidence: 0.9 },
    { startSeconds: 3, endSeconds: 9, speaker: 'SPEAKER_01', confidence: null },
  ];
  const speakers = ['SPEAKER_00', 'SPEAKER_01'].map((label) => ({ label, centroid: new Float32Array([1, 2]), embeddingModel: 'b', speechSeconds: 4 }));
  const result = {
    durationSeconds: 10,
    turns,
    exclusiveTurns: turns,
    confidenceKind: 'margin',
    speakers,
    timings: { segmentation: 1.5 },
    backend: { name: 'wasm', adapter: null, threads: 2, reason: 'there is no GPU', selfCheck: null },
    preset: 'campplus',
    speed: 'exact',
    speakerCount: { value: 0, alternatives: [], unmet: null },
    clustering: 'preset',
    minDurationOn: 0,
    minDurationOff: 0,
    embeddingModel: 'b',
    models: [{ stage: 'embedding', id: 'c', sha256: 'b' }],
    modelNote: null,
    tracks: [],
    notes: [],
  } satisfies DiarizationResult;
  // The store does not use their content.
  const withVoices = { ...result, voices: { version: 1, embeddings: new Uint8Array(1000) } } as unknown as DiarizationResult;
  return {
    id,
    name: `${id}.wav`,
    blob: null,
    result: withVoices,
    annotation: annotationOf(turns, turns, speakers, 10),
    options: { speakerMode: 'auto', exact: 2, min: 1, max: 4, backend: 'auto', preset: 'auto', speed: 'exact' },
    processingSeconds: 2,
  };
}
