/** Former names in model manifests, as written by earlier releases and their export scripts. */
export const MANIFEST_NAMES = { licence: 'license', numClasses: 'numSpeakers' };

/**
 * Replaces former field names in JSON written by another release, at any depth.
 *
 * @param value parsed JSON; not modified
 * @param names former name → present name
 */
export function withPresentNames(value: unknown, names: Readonly<Record<string, string>>): unknown {
  // Quotes within a string are escaped, so only names of fields match.
  const text = Object.entries(names).reduce((json, [former, present]) => json.replaceAll(`"${former}":`, `"${present}":`), JSON.stringify(value));
  return JSON.parse(text) as unknown;
}
