import { MENTIONED_SCORE, type SpeakerCount } from '../../pipeline/speakerCount';
import { countText as words } from './text';

/** More numbers than this do not help. */
const MAX_ALTERNATIVES = 2;

/** The number of speakers with other likely ones: "6 speakers, possibly 5". */
export function countWithAlternatives({ value, alternatives }: SpeakerCount): string {
  const others = alternatives.filter(({ score }) => score >= MENTIONED_SCORE).slice(0, MAX_ALTERNATIVES);
  return others.length === 0 ? words.value(value) : words.possibly(words.value(value), others.map((other) => other.value));
}

/** Which bounds a count does not meet; null if it meets them. */
export function unmetBounds({ value, unmet }: SpeakerCount): string | null {
  if (!unmet) return null;
  const { minSpeakers, maxSpeakers } = unmet;
  if (minSpeakers !== null && minSpeakers === maxSpeakers) return words.fewer(minSpeakers, value);
  return minSpeakers !== null && value < minSpeakers ? words.tooFew(minSpeakers, value) : words.tooMany(maxSpeakers ?? value, value);
}
