import type { Turn } from '../timeline/turn';

interface Stretch {
  readonly startSeconds: number;
  readonly endSeconds: number;
}

const EVERYWHERE: Stretch = { startSeconds: -Infinity, endSeconds: Infinity };

/**
 * The hints of who is heard, with those of one speaker given to another; cut where they begin or end outside of
 * `within`. What stays the same is the same object, and the very list where nothing changes.
 *
 * @param hints sorted by start
 * @param given the hint of the other speaker in place of one that lies within
 * @param within where they are given over; default: everywhere
 */
export function handOver(hints: readonly Turn[], speaker: string, given: (hint: Turn) => Turn, within: Stretch = EVERYWHERE): readonly Turn[] {
  const isMeant = (hint: Turn): boolean =>
    hint.speaker === speaker && hint.startSeconds < within.endSeconds && within.startSeconds < hint.endSeconds;
  if (!hints.some(isMeant)) return hints;
  const handed = hints.flatMap((hint) => {
    if (!isMeant(hint)) return [hint];
    const startSeconds = Math.max(hint.startSeconds, within.startSeconds);
    const endSeconds = Math.min(hint.endSeconds, within.endSeconds);
    return [
      ...(hint.startSeconds < startSeconds ? [{ ...hint, endSeconds: startSeconds }] : []),
      given({ ...hint, startSeconds, endSeconds }),
      ...(endSeconds < hint.endSeconds ? [{ ...hint, startSeconds: endSeconds }] : []),
    ];
  });
  // Hints of a file may overlap by their rounding, and a cut then begins after the next one.
  return handed.sort((a, b) => a.startSeconds - b.startSeconds);
}
