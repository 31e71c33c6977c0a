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
 * Node's `parseArgs`, with the nearest name in the error about an unknown flag.
 *
 * @throws Error with a one-line message
 */
export function parseFlags<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
    const [, flag = ''] = /'(-[^']*)'/.exec(messageOf(error)) ?? [];
    const near = nearestName(flag, Object.keys(config.options ?? {}).map((name) => `--${name}`));
    throw new Error(`the flag ${flag} does not exist. ${near === null ? 'Try --help.' : `Did you mean ${near}?`}`, { cause: error });
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
