import { bytesOf, HEAVY_PARTS, type About, type HeavyPart } from './about';

/** How much is kept at most. */
export interface KeepLimits {
  /** Pieces of work. */
  readonly works: number;
  /** Of all their parts. */
  readonly bytes: number;
}

/** Fifty pieces of work and two gigabytes: 17 hours of WAV at 16 kHz, or a hundred hours of MP3. */
export const KEEP_LIMITS: KeepLimits = { works: 50, bytes: 2e9 };

/** A heavy part of one piece of work. */
export interface Droppable {
  readonly id: string;
  readonly part: HeavyPart;
  readonly bytes: number;
}

/**
 * Heavy parts in the order in which they go when there is no room: all recordings, the oldest first, then all voices,
 * then all peaks.
 *
 * @param except id of the piece of work that room is made for
 */
export function droppable(works: readonly About[], except: string): Droppable[] {
  const oldestFirst = works.filter(({ id }) => id !== except).sort((a, b) => a.savedAt - b.savedAt);
  return HEAVY_PARTS.flatMap((part) =>
    oldestFirst.flatMap(({ id, sizes }) => {
      const bytes = sizes[part];
      return bytes === undefined ? [] : [{ id, part, bytes }];
    }),
  );
}

/** What has to go for all to be within the limits, as far as that helps. */
export function surplus(works: readonly About[], limits: KeepLimits, except: string): { works: string[]; parts: Droppable[] } {
  const others = works.filter(({ id }) => id !== except).sort((a, b) => a.savedAt - b.savedAt);
  const gone = new Set(others.slice(0, Math.max(0, works.length - limits.works)).map(({ id }) => id));
  const left = works.filter(({ id }) => !gone.has(id));
  let bytes = left.reduce((sum, work) => sum + bytesOf(work), 0);
  const parts: Droppable[] = [];
  for (const candidate of droppable(left, except)) {
    if (bytes <= limits.bytes) break;
    parts.push(candidate);
    bytes -= candidate.bytes;
  }
  return { works: [...gone], parts };
}
