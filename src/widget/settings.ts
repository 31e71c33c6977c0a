import { type ChoiceRule, DIARIZER_RULES, isInRange, type NumberRule, RUN_RULES } from '../engine/optionRules';
import type { DiarizeOptions, DiarizerOptions } from '../engine/types';
import { VoxlaneError } from '../util/errors';
import { webAddress } from '../util/fetch';

type Kebab<Name extends string> = Name extends `${infer First}${infer Rest}` ? `${First extends Lowercase<First> ? First : `-${Lowercase<First>}`}${Kebab<Rest>}` : '';
type AttributeOf<Option extends string> = Option extends 'models' ? 'models-base' : Kebab<Option>;
export type RunAttribute = AttributeOf<keyof typeof DIARIZER_RULES | keyof typeof RUN_RULES>;

const attributeOf = (option: string): RunAttribute =>
  (option === 'models' ? 'models-base' : option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)) as RunAttribute;

/** Attributes with options of the analysis. They apply to the next run. */
export const RUN_ATTRIBUTES = Object.keys({ ...DIARIZER_RULES, ...RUN_RULES }).map(attributeOf);

/** Color theme of the widget; `auto` follows the surrounding page. */
export type WidgetTheme = 'auto' | 'light' | 'dark';
export const THEME_NAMES: readonly WidgetTheme[] = ['auto', 'light', 'dark'];

/** The validated attributes as options of the library. */
export interface WidgetSettings {
  readonly diarizer: DiarizerOptions;
  readonly run: Pick<DiarizeOptions, keyof typeof RUN_RULES>;
}

/**
 * @param read returns the value of an attribute; null if the attribute is absent
 * @param options the property `options`; attributes take precedence
 * @throws VoxlaneError `options`, with the attribute, its value and the rule
 */
export function readSettings(read: (attribute: RunAttribute | 'theme') => string | null, options: DiarizerOptions): WidgetSettings {
  valueOf('theme', read('theme'), { values: THEME_NAMES });
  const readAll = (rules: Readonly<Record<string, Rule>>): object =>
    Object.fromEntries(
      Object.entries(rules).flatMap(([option, rule]) => {
        const attribute = attributeOf(option);
        const value = valueOf(attribute, read(attribute), rule);
        return value === null ? [] : [[option, value]];
      }),
    );
  const diarizer = readAll(DIARIZER_RULES);
  const run: WidgetSettings['run'] = readAll(RUN_RULES);
  const { speakers, minSpeakers, maxSpeakers } = run;
  if (speakers !== undefined && (minSpeakers ?? maxSpeakers) !== undefined) {
    throw badAttribute('speakers', String(speakers), 'no min-speakers or max-speakers with it: an exact number needs no bounds');
  }
  if (minSpeakers !== undefined && maxSpeakers !== undefined && minSpeakers > maxSpeakers) {
    throw badAttribute('min-speakers', String(minSpeakers), `at most max-speakers, ${maxSpeakers}`);
  }
  return { diarizer: { ...options, ...diarizer }, run };
}

type Rule = ChoiceRule | NumberRule | typeof DIARIZER_RULES.models;

/** The value of an attribute; null if it is absent or empty. */
function valueOf(attribute: string, text: string | null, rule: Rule): string | number | null {
  if (text === null || text === '') return null;
  if ('values' in rule) {
    if (rule.values.includes(text)) return text;
    throw badAttribute(attribute, text, `one of ${rule.values.join(', ')}`);
  }
  if (rule.type === 'address') {
    // Absolute: two widgets that mean the same folder then share one engine.
    const found = webAddress(text, document.baseURI);
    if (found) return found.href;
    throw badAttribute(attribute, text, 'an http or https URL, or one relative to the page');
  }
  if (text.trim() === '') return null;
  const number = Number(text);
  if (isInRange(rule, number)) return number;
  const { min, max } = rule;
  throw badAttribute(attribute, text, rule.type === 'whole' ? `a whole number, ${min} to ${max}` : `a number of seconds from ${min} to ${max}`);
}

function badAttribute(attribute: string, value: string, rule: string): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `The attribute ${attribute} is “${value}”`,
    expected: rule,
    remedy: 'Change or remove the attribute',
  });
}
