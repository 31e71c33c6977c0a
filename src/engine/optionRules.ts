import { MAX_SAMPLE_RATE, MAX_TRACKS, MIN_SAMPLE_RATE } from '../audio/types';
import { MAX_MIN_DURATION_SECONDS } from '../timeline/minDurations';

/**
 * Rules of the options that the widget has as attributes. Separate from the other rules in `optionSchema.ts`, so that the
 * widget does not load those.
 */

/** One of several names. The first is the default. */
export interface ChoiceRule {
  readonly values: readonly string[];
}

/** A number in a range. */
export interface NumberRule {
  readonly type: 'whole' | 'seconds';
  readonly min: number;
  /** `Infinity` if there is no maximum; the number must be finite all the same. */
  readonly max: number;
  /** Absent if the default depends on the recording, the preset or the machine. */
  readonly default?: number;
}

const speakers = { type: 'whole', min: 1, max: 255 } as const;
const minDuration = { type: 'seconds', min: 0, max: MAX_MIN_DURATION_SECONDS } as const;

export const DIARIZER_RULES = {
  preset: { values: ['auto', 'exact', 'fast', 'campplus', 'community-1', 'nemotron'] },
  speed: { values: ['exact', 'fast'] },
  backend: { values: ['auto', 'webgpu', 'wasm'] },
  models: { type: 'address' },
} as const;

export const RUN_RULES = {
  speakers,
  minSpeakers: speakers,
  maxSpeakers: speakers,
  minDurationOn: minDuration,
  minDurationOff: minDuration,
  track: { type: 'whole', min: 1, max: MAX_TRACKS },
  sampleRate: { type: 'whole', min: MIN_SAMPLE_RATE, max: MAX_SAMPLE_RATE },
} as const;

export function isInRange({ type, min, max }: NumberRule, value: number): boolean {
  const isNumber = type === 'whole' ? Number.isInteger(value) : max !== Infinity || Number.isFinite(value);
  return isNumber && value >= min && value <= max;
}
