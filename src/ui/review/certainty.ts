import type { ConfidenceKind } from '../../clustering/confidence';

export type Certainty = 'high' | 'middling' | 'low' | 'unknown';

/**
 * From these on a confidence is called high or middling. For the words alone: no bound was calibrated, and the
 * order of the review goes by the numbers.
 */
const BOUNDS: Readonly<Record<ConfidenceKind, { readonly high: number; readonly middling: number }>> = {
  // A probability.
  posterior: { high: 0.95, middling: 0.75 },
  // A difference of cosine similarities.
  margin: { high: 0.3, middling: 0.1 },
};

/** How sure a speaker is, in one of four words. */
export function certaintyOf(confidence: number | null | undefined, kind: ConfidenceKind | null): Certainty {
  if (confidence === null || confidence === undefined) return 'unknown';
  const { high, middling } = BOUNDS[kind ?? 'posterior'];
  if (confidence >= high) return 'high';
  return confidence >= middling ? 'middling' : 'low';
}
