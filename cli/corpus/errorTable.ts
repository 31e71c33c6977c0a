/** Table of errors: kind, count, example and fix. */
import { readRefusals } from './layout';

/** One row: all errors of a kind. */
export interface ErrorRow {
  readonly kind: string;
  readonly count: number;
  /** The first error of the kind: the recording and the problem. */
  readonly example: { readonly name: string; readonly problem: string };
  /** What to do; the first one that is known. */
  readonly fix: string | null;
}

/** Collects errors by kind. */
export class ErrorTable {
  private readonly kinds = new Map<string, { count: number; readonly example: ErrorRow['example']; fix: string | null }>();

  add(kind: string, name: string, problem: string, fix: string | undefined): void {
    const row = this.kinds.get(kind) ?? { count: 0, example: { name, problem }, fix: null };
    row.count++;
    row.fix ??= fix ?? null;
    this.kinds.set(kind, row);
  }

  /** The most frequent kind first; equal counts by name. */
  rows(): ErrorRow[] {
    const rows = [...this.kinds].map(([kind, row]): ErrorRow => ({ kind, ...row }));
    return rows.sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1));
  }
}

/** Adds all refused inputs of a corpus folder. */
export async function addRefusals(table: ErrorTable, folder: string): Promise<number> {
  let count = 0;
  for await (const { source, path, code, problem, remedy } of readRefusals(folder)) {
    table.add(code, path ?? source, problem, remedy);
    count++;
  }
  return count;
}

export async function refusalTable(folder: string): Promise<string> {
  const table = new ErrorTable();
  await addRefusals(table, folder);
  return tableText(table.rows());
}

/** The table as text: for each kind a line with the counts, then the example and the fix. */
export function tableText(rows: readonly ErrorRow[]): string {
  const width = Math.max(...rows.map(({ kind }) => kind.length));
  return rows
    .map(({ kind, count, example, fix }) => {
      const indent = ' '.repeat(width + 10);
      const fixLine = fix === null ? '' : `${indent}fix: ${fix}\n`;
      return `${String(count).padStart(6)}  ${kind.padEnd(width)}  ${example.name}: ${example.problem}\n${fixLine}`;
    })
    .join('');
}
