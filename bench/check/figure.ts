/** What `npm run bench -- --check` measures: figures with a limit each, in groups that are measured together. */

export type Say = (line: string) => void;

export interface Bound {
  /** Unique over all groups. */
  readonly name: string;
  readonly what: string;
  /** Empty for a ratio. */
  readonly unit: string;
  readonly limit: number;
  readonly side: 'at most' | 'at least';
  /** Why this limit and, if it is not a ratio, why not. */
  readonly reason: string;
}

export interface Group {
  readonly name: string;
  readonly bounds: readonly Bound[];
  /**
   * @param wanted names of the group's bounds that are asked for; others may be left out
   * @returns the value of each, by name
   */
  measure(wanted: ReadonlySet<string>, say: Say): Promise<Readonly<Record<string, number>>>;
  /** Names that cannot be measured on this machine, each with the reason. */
  readonly unavailable?: Readonly<Record<string, string>>;
}

export interface Figure {
  readonly bound: Bound;
  readonly value: number;
}

/** A value that is not a number was not measured, and so does not keep the limit. */
export function isOver({ bound: { limit, side }, value }: Figure): boolean {
  return !(side === 'at most' ? value <= limit : value >= limit);
}

/** Name, measured value, limit, and `ok` or `over`. */
export function lineOf(figure: Figure): string {
  const { bound, value } = figure;
  const measured = `${digits(value)} ${bound.unit}`.trim();
  const columns = [bound.name.padEnd(22), measured.padStart(12), limitText(bound).padEnd(18), isOver(figure) ? 'over' : 'ok'];
  return columns.join('  ');
}

export const limitText = ({ side, limit, unit }: Bound): string => `${side} ${digits(limit)} ${unit}`.trim();

/** Three significant digits; more only to keep the digits before the point. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** The bounds that are asked for, by group; all of them if no name is given. A group's name stands for all of its bounds. */
export function selectBounds(groups: readonly Group[], names: readonly string[]): { group: Group; bounds: Bound[] }[] {
  const known = new Set(groups.flatMap(({ name, bounds }) => [name, ...bounds.map((bound) => bound.name)]));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const listed = groups.map(({ name, bounds }) => `  ${name}: ${bounds.map((bound) => bound.name).join(', ')}`);
    throw new Error(`--check has no ${unknown.join(' and no ')}. Name groups or figures of these:\n${listed.join('\n')}`);
  }
  const asked = new Set(names);
  return groups
    .map((group) => ({
      group,
      bounds: group.bounds.filter((bound) => asked.size === 0 || asked.has(group.name) || asked.has(bound.name)),
    }))
    .filter(({ bounds }) => bounds.length > 0);
}

/** Measures and prints, a line for each figure. */
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

/** A line for each figure: name, limit, what it is, and why the limit. */
export function listText(groups: readonly Group[]): string {
  return groups
    .map(({ name, bounds }) =>
      [name, ...bounds.map((bound) => `  ${bound.name.padEnd(22)} ${limitText(bound).padEnd(18)} ${bound.what} (${bound.reason})`)].join('\n'),
    )
    .join('\n');
}
