/** Arguments of the commands: flags, wrong usage, and suggestions for misspelled names. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { messageOf } from '../src/util/errors';

/** Exit status for wrong usage. */
export const USAGE_EXIT = 2;

/** Arguments that a command does not accept. */
export class UsageError extends Error {}

/** Runs a parser of arguments. @throws UsageError in place of each Error */
export function parsed<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

/**
 * Node's `parseArgs`, with errors that state what was wrong and what was expected, and the nearest name for an unknown flag.
 *
 * @throws Error with a one-line message
 */
export function parseFlags<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const problem = problemOf(error, Object.keys(config.options ?? {}));
    throw problem === null ? error : new Error(problem, { cause: error });
  }
}

/**
 * Refuses flags that would be ignored: otherwise a user believes that they had an effect.
 *
 * @param values of `parseArgs`, without defaults for these flags
 * @param why the end of a sentence: `with --backend wasm`
 * @throws Error with a one-line message for the first one that is set
 */
export function refuseIdle(values: Readonly<Record<string, unknown>>, names: readonly string[], why: string): void {
  const isSet = (value: unknown): boolean => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  const idle = names.find((name) => isSet(values[name]));
  if (idle !== undefined) throw new Error(`--${idle} has no effect ${why}. Leave it out.`);
}

/** The message for an error of `parseArgs`; null for any other error. @param names of the flags, without dashes */
function problemOf(error: unknown, names: readonly string[]): string | null {
  const text = messageOf(error);
  // Node quotes the flag, with its short form and a placeholder: '-h, --help', '--seconds <value>'.
  const [, quoted = ''] = /'([^']*)'/.exec(text) ?? [];
  const flag = /--[^\s,]+/.exec(quoted)?.[0] ?? quoted;
  switch ((error as { readonly code?: unknown }).code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION': {
      const near = nearestName(flag, names.map((name) => `--${name}`));
      return `the flag ${flag} does not exist. ${near === null ? 'Try --help.' : `Did you mean ${near}?`}`;
    }
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `${/'(.*?)'\. This/s.exec(text)?.[1] ?? quoted} is not a flag. Expected only flags. Try --help.`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      if (text.includes('does not take')) return `the flag ${flag} has a value. Expected ${flag} alone.`;
      if (text.includes('ambiguous')) return `the value of ${flag} is missing, or starts with a dash. Expected ${flag} VALUE, or ${flag}=VALUE for a value with a dash.`;
      return `the flag ${flag} has no value. Expected ${flag} VALUE.`;
    default:
      return null;
  }
}

/** The name with the fewest edits, if they change less than half of it; else null. Of equally near names, the first. */
export function nearestName(name: string, names: readonly string[]): string | null {
  let [nearest, fewest]: [string | null, number] = [null, Math.ceil(name.replace(/^-+/, '').length / 2)];
  for (const candidate of names) {
    const edits = editDistance(name, candidate);
    if (edits < fewest) [nearest, fewest] = [candidate, edits];
  }
  return nearest;
}

/** Optimal string alignment: insertions, deletions, replacements, and swaps of neighbors. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= from.length; i++) {
    const [row, before] = [rows[i - 1]!, rows[i - 2]];
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(from[i - 1] !== to[j - 1]));
      const isSwap = before && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      next.push(isSwap ? Math.min(edits, before[j - 2]! + 1) : edits);
    }
    rows.push(next);
  }
  return rows.at(-1)!.at(-1)!;
}
