/** Figures of `npm run bench -- --check`: each has a limit, and groups are measured together. */

export type Say = (line: string) => void;

export interface Bound {
  /** Unique across all groups. */
  readonly name: string;
  readonly what: string;
  /** Empty for a ratio. */
  readonly unit: string;
  readonly limit: number;
  readonly side: 'at most' | 'at least';
  /** Reason for the limit and, if it is absolute, why it is not a ratio. */
  readonly reason: string;
}

export interface Group {
  readonly name: string;
  readonly bounds: readonly Bound[];
  /**
   * @param wanted names of the requested bounds; others can be omitted
   * @returns values by name
   */
  measure(wanted: ReadonlySet<string>, say: Say): Promise<Readonly<Record<string, number>>>;
  /** Names that cannot be measured on this machine, with reasons. */
  readonly unavailable?: Readonly<Record<string, string>>;
}

export interface Figure {
  readonly bound: Bound;
  readonly value: number;
}

/** Whether a figure exceeds its limit. NaN means not measured and counts as exceeding. */
export function isOver({ bound: { limit, side }, value }: Figure): boolean {
  return !(side === 'at most' ? value <= limit : value >= limit);
}

/** Line with name, measured value, limit, and `ok` or `over`. */
export function lineOf(figure: Figure): string {
  const { bound, value } = figure;
  const measured = `${digits(value)} ${bound.unit}`.trim();
  const columns = [bound.name.padEnd(22), measured.padStart(12), limitText(bound).padEnd(18), isOver(figure) ? 'over' : 'ok'];
  return columns.join('  ');
}

export const limitText = ({ side, limit, unit }: Bound): string => `${side} ${digits(limit)} ${unit}`.trim();

/** Formats with three significant digits, or more to keep all digits before the decimal point. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** The requested bounds by group, or all bounds without names. The name of a group selects all its bounds. */
export function selectBounds(groups: readonly Group[], names: readonly string[]): { group: Group; bounds: Bound[] }[] {
  const known = new Set(groups.flatMap(({ name, bounds }) => [name, ...bounds.map((bound) => bound.name)]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const listed = groups.map(({ name, bounds }) => `  ${name}: ${bounds.map((bound) => bound.name).join(', ')}`);
    throw new Error(`--check has no ${unknown.join(' and no ')}. Available groups and figures:\n${listed.join('\n')}`);
  }
  const asked = new Set(names);
  return groups
    .map((group) => ({
      group,
      bounds: group.bounds.filter((bound) => asked.size === 0 || asked.has(group.name) || asked.has(bound.name)),
    }))
    .filter(({ bounds }) => bounds.length > 0);
}

/** Measures the figures and prints one line for each. */
export async function check(
  groups: readonly Group[],
  names: readonly string[],
  { print, say }: { readonly print: Say; readonly say: Say },
): Promise<0 | 1 | 2> {
  const selected = selectBounds(groups, names);
  let isAnyOver = false;
  let hasFailed = false;
  for (const { group, bounds } of selected) {
    const missing = bounds.filter(({ name }) => group.unavailable?.[name] !== undefined);
    for (const { name } of missing) print(`${name.padEnd(22)}  skipped: ${group.unavailable![name]!}`);
    const wanted = bounds.filter((bound) => !missing.includes(bound));
    if (wanted.length === 0) continue;
    say(`measuring ${group.name} …`);
    try {
      const values = await group.measure(new Set(wanted.map(({ name }) => name)), say);
      for (const bound of wanted) {
        const figure = { bound, value: values[bound.name] ?? NaN };
        isAnyOver ||= isOver(figure);
        print(lineOf(figure));
      }
    } catch (error) {
      // The other groups can still be measured.
      hasFailed = true;
      for (const { name } of wanted) print(`${name.padEnd(22)}  not measured`);
      say(`${group.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (isAnyOver) return 1;
  return hasFailed ? 2 : 0;
}

/** One line per figure: name, limit, description and reason. */
export function listText(groups: readonly Group[]): string {
  return groups
    .map(({ name, bounds }) =>
      [name, ...bounds.map((bound) => `  ${bound.name.padEnd(22)} ${limitText(bound).padEnd(18)} ${bound.what} (${bound.reason})`)].join('\n'),
    )
    .join('\n');
}
