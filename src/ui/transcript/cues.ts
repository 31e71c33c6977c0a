import type { TranscriptCue } from '../../transcript/transcript';

/** Cues of a block: blocks are made and dropped as a whole. */
export const BLOCK_CUES = 40;

/** A run of cues that is in the page as a whole, or as empty space of its height. */
export interface CueBlock {
  readonly from: number;
  /** Index after the last. */
  readonly to: number;
}

export function blocksOf(numCues: number): CueBlock[] {
  return Array.from({ length: Math.ceil(numCues / BLOCK_CUES) }, (_, index) => ({
    from: index * BLOCK_CUES,
    to: Math.min(numCues, (index + 1) * BLOCK_CUES),
  }));
}

export const blockOf = (cue: number): number => Math.floor(cue / BLOCK_CUES);

/** Pixels of a cue besides its lines of text, and of a line; about those of the style sheet. */
const HEAD_PIXELS = 40;
const LINE_PIXELS = 22;
const CHARACTER_PIXELS = 7.5;

/**
 * About how high a block will be, so that the scroll bar is right before the block is made. Wrong by some lines at most,
 * which is put right when it is.
 *
 * @param widthPixels that the text has
 */
export function estimatedHeight(cues: readonly TranscriptCue[], { from, to }: CueBlock, widthPixels: number): number {
  const charactersPerLine = Math.max(10, widthPixels / CHARACTER_PIXELS);
  return cues
    .slice(from, to)
    .reduce((sum, { text }) => sum + HEAD_PIXELS + LINE_PIXELS * Math.max(1, Math.ceil(text.length / charactersPerLine)), 0);
}

/** Cues of several voices overlap, but a cue that is this many places back is over. */
const OVERLAPPING_CUES = 16;

/**
 * The cue at a moment: of several the one that began last. Null in a pause.
 *
 * @param cues sorted by start
 */
export function cueAt(cues: readonly TranscriptCue[], seconds: number): number | null {
  let low = 0;
  let high = cues.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.startSeconds ?? Infinity) <= seconds) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= Math.max(0, low - OVERLAPPING_CUES); index -= 1) {
    if ((cues[index]?.endSeconds ?? 0) > seconds) return index;
  }
  return null;
}
