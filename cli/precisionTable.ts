/** The report of `compare --precision`: the measurements so far, as text and as JSON. */
import {
  rankRows,
  type PrecisionHead,
  type PrecisionReport,
  type PrecisionRow,
  type RoundedType,
  type RoundingEffect,
} from '../src/compare/precisionReport';
import type { ErrorParts } from '../src/util/errors';
import type { Answer } from './engine/answer';

const TYPES: readonly (readonly [RoundedType, string])[] = [
  ['int8', 'int8 (weights of two or more axes, symmetric, a scale per output channel)'],
  ['float16', 'float16 (all weights)'],
];

/** Collects rows as they arrive, so an interruption loses none. */
export class PrecisionKeeper {
  error: ErrorParts | null = null;
  private head: PrecisionHead | null = null;
  private rows: PrecisionRow[] = [];
  private isDone = false;

  keep = (row: PrecisionRow, head: PrecisionHead): void => {
    this.head = head;
    this.rows.push(row);
  };

  clear(): void {
    this.head = null;
    this.rows = [];
  }

  finish(answer: Answer<PrecisionReport>): void {
    this.isDone = true;
    if (!answer.ok) {
      this.error = answer.error;
      return;
    }
    const { rows, ...head } = answer.result;
    this.head = head;
    this.rows = [...rows];
  }

  /** For JSON: the rows in the order of the int8 ranking, followed by rows without int8. */
  document(): object {
    if (this.error) return { error: this.error };
    if (!this.head) return { error: { code: 'cancelled', problem: 'The command was interrupted before a node was tried' } };
    const ranking = Object.fromEntries(TYPES.map(([type]) => [type, rankRows(this.rows, type).map(({ nodes }) => nodes[0])]));
    return { isComplete: this.isDone, ...this.head, rows: this.rows, ranking };
  }

  text(): string {
    return this.head ? tableText({ ...this.head, rows: this.rows }) : '';
  }
}

/** Two tables, each with the best node to round first and with the total. */
function tableText({ model, backend, adapter, outputs, total, left, numRows, rows }: PrecisionReport): string {
  const where = [backend, adapter].filter(Boolean).join(', ');
  const hasDecisions = outputs.length > 0;
  const about = hasDecisions
    ? outputs.map(({ name, decisions, reason }) => `${decisions} decisions of ${name} (${reason})`).join(', ')
    : 'no decisions: ranked by the relative error of the outputs';
  return [
    `${model} on ${where}: ${about}; ${total.megabytes.toFixed(3)} MB of float32 weights`,
    ...(rows.length < numRows ? [`interrupted: ${rows.length} of ${numRows} nodes were tried`] : []),
    ...(left.numRows > 0 ? [`${left.numRows} smaller nodes (${left.megabytes.toFixed(3)} MB) were not tried one by one (see --limit)`] : []),
    ...TYPES.flatMap(([type, title]) => ['', title, ...typeLines(rankRows(rows, type), type, total[type], hasDecisions)]),
    '',
  ].join('\n');
}

function typeLines(rows: readonly PrecisionRow[], type: RoundedType, total: RoundingEffect, hasDecisions: boolean): string[] {
  const head = hasDecisions ? ['lost', 'lost/MB', 'saved MB', 'relative', 'node'] : ['relative', 'relative/MB', 'saved MB', 'node'];
  const cells = [...rows.map((row) => [...figures(row[type]!, hasDecisions), nameOf(row)]), [...figures(total, hasDecisions), 'all weights together']];
  const widths = head.slice(0, -1).map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]!.length)));
  return [head, ...cells].map((line) => `  ${[...widths.map((width, column) => line[column]!.padStart(width)), line.at(-1)].join('  ')}`);
}

function figures({ lost, relative, savedMegabytes }: RoundingEffect, hasDecisions: boolean): string[] {
  const perMegabyte = (value: number | null): string => (value === null || savedMegabytes <= 0 ? '-' : short(value / savedMegabytes));
  const error = relative === null ? 'not finite' : relative.toExponential(1);
  const saved = savedMegabytes.toFixed(3);
  return hasDecisions ? [String(lost ?? 0), perMegabyte(lost), saved, error] : [error, perMegabyte(relative), saved];
}

/** Formats with three significant digits. */
const short = (value: number): string => (value === 0 ? '0' : value >= 0.01 && value < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1));

function nameOf({ nodes, ops, module }: PrecisionRow): string {
  const more = nodes.length > 1 ? ` and ${nodes.length - 1} more` : '';
  // PyTorch's older exporter includes the module in the node name.
  const isNamed = module === null || module === '' || [module, module.replaceAll('.', '/')].some((path) => nodes[0]!.includes(path));
  const within = isNamed ? '' : ` in ${module}`;
  return `${ops[0]} ${nodes[0]}${more}${within}`;
}
