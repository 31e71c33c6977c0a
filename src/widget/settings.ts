import { MIN_SAMPLE_RATE, MAX_SAMPLE_RATE, MAX_TRACKS } from '../audio/types';
import type { DiarizeOptions, DiarizerOptions } from '../engine/types';
import { MAX_MIN_DURATION_SECONDS } from '../timeline/minDurations';
import { VoxlaneError } from '../util/errors';
import { webAddress } from '../util/fetch';

/** Attributes with options of the analysis. They apply to the next run. */
export const RUN_ATTRIBUTES = ['preset', 'speed', 'speakers', 'min-speakers', 'max-speakers', 'min-duration-on', 'min-duration-off', 'track', 'sample-rate', 'backend', 'models-base'] as const;
export type RunAttribute = (typeof RUN_ATTRIBUTES)[number];

export const PRESET_NAMES = ['auto', 'exact', 'fast', 'campplus', 'community-1'] as const satisfies readonly NonNullable<DiarizerOptions['preset']>[];
export const SPEED_NAMES = ['exact', 'fast'] as const satisfies readonly NonNullable<DiarizerOptions['speed']>[];
export const BACKEND_NAMES = ['auto', 'webgpu', 'wasm'] as const satisfies readonly NonNullable<DiarizerOptions['backend']>[];
/** Color theme of the widget; `auto` follows the surrounding page. */
export type WidgetTheme = 'auto' | 'light' | 'dark';
export const THEME_NAMES: readonly WidgetTheme[] = ['auto', 'light', 'dark'];

/** The validated attributes as options of the library. */
export interface WidgetSettings {
  readonly diarizer: DiarizerOptions;
  readonly run: Pick<DiarizeOptions, 'speakers' | 'minSpeakers' | 'maxSpeakers' | 'minDurationOn' | 'minDurationOff' | 'track' | 'sampleRate'>;
}

const MAX_SPEAKERS = 255;

/**
 * @param read returns the value of an attribute; null if the attribute is absent
 * @param options the property `options`; attributes take precedence
 * @throws VoxlaneError `options`, with the attribute, its value and the rule
 */
export function readSettings(read: (attribute: RunAttribute | 'theme') => string | null, options: DiarizerOptions): WidgetSettings {
  oneOf('theme', read('theme'), THEME_NAMES);
  const preset = oneOf('preset', read('preset'), PRESET_NAMES);
  const speed = oneOf('speed', read('speed'), SPEED_NAMES);
  const backend = oneOf('backend', read('backend'), BACKEND_NAMES);
  const models = address('models-base', read('models-base'));
  const speakers = wholeNumber('speakers', read('speakers'));
  const minSpeakers = wholeNumber('min-speakers', read('min-speakers'));
  const maxSpeakers = wholeNumber('max-speakers', read('max-speakers'));
  const minDurationOn = seconds('min-duration-on', read('min-duration-on'));
  const minDurationOff = seconds('min-duration-off', read('min-duration-off'));
  const track = wholeNumber('track', read('track'), 1, MAX_TRACKS);
  const sampleRate = wholeNumber('sample-rate', read('sample-rate'), MIN_SAMPLE_RATE, MAX_SAMPLE_RATE);
  if (speakers !== null && (minSpeakers ?? maxSpeakers) !== null) {
    throw badAttribute('speakers', String(speakers), 'no min-speakers or max-speakers beside it: an exact number needs no bounds');
  }
  if (minSpeakers !== null && maxSpeakers !== null && minSpeakers > maxSpeakers) {
    throw badAttribute('min-speakers', String(minSpeakers), `at most max-speakers, ${maxSpeakers}`);
  }
  return {
    diarizer: {
      ...options,
      ...(preset && { preset }),
      ...(speed && { speed }),
      ...(backend && { backend }),
      ...(models && { models }),
    },
    run: {
      ...(speakers !== null && { speakers }),
      ...(minSpeakers !== null && { minSpeakers }),
      ...(maxSpeakers !== null && { maxSpeakers }),
      ...(minDurationOn !== null && { minDurationOn }),
      ...(minDurationOff !== null && { minDurationOff }),
      ...(track !== null && { track }),
      ...(sampleRate !== null && { sampleRate }),
    },
  };
}

/** The value of an enumerated attribute; null if it is absent or empty. */
function oneOf<T extends string>(attribute: string, value: string | null, allowed: readonly T[]): T | null {
  if (value === null || value === '') return null;
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw badAttribute(attribute, value, `one of ${allowed.join(', ')}`);
  return found;
}

function wholeNumber(attribute: string, value: string | null, least = 1, most = MAX_SPEAKERS): number | null {
  if (value === null || value.trim() === '') return null;
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most) {
    throw badAttribute(attribute, value, `a whole number, ${least} to ${most}`);
  }
  return number;
}

function seconds(attribute: string, value: string | null): number | null {
  if (value === null || value.trim() === '') return null;
  const number = Number(value);
  if (!(number >= 0 && number <= MAX_MIN_DURATION_SECONDS)) {
    throw badAttribute(attribute, value, `a number of seconds from 0 to ${MAX_MIN_DURATION_SECONDS}`);
  }
  return number;
}

/** Returns an absolute URL: two widgets that mean the same folder then share one engine. */
function address(attribute: string, value: string | null): string | null {
  if (value === null || value === '') return null;
  const found = webAddress(value, document.baseURI);
  if (!found) throw badAttribute(attribute, value, 'an http or https URL, or one relative to the page');
  return found.href;
}

function badAttribute(attribute: string, value: string, rule: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The attribute ${attribute} is “${value}”`,
    expected: rule,
    remedy: 'Change or remove the attribute',
  });
}
