import { STAGES } from '../../src/engine/stages';
import { machine } from '../figures';
import { exponentsOf, missedBounds } from './bounds';
import type { LengthFigures } from './measure';
import type { MemoryKind } from './memory';

/** The JSON report. */
export interface ScaleReport {
  readonly machine: string;
  readonly preset: string;
  readonly memoryKind: MemoryKind;
  readonly lengths: readonly LengthFigures[];
  /** Null if unknown. */
  readonly exponents: Readonly<Record<string, number | null>>;
  readonly missed: readonly string[];
}

export function reportOf(preset: string, memoryKind: MemoryKind, lengths: readonly LengthFigures[]): ScaleReport {
  const [exponents, missed] = [exponentsOf(lengths), missedBounds(lengths)];
  return { machine: machine(), preset, memoryKind, lengths, exponents, missed };
}

export function printReport({ machine: place, preset, memoryKind, lengths, exponents, missed }: ScaleReport): void {
  const [{ backend }] = lengths as [LengthFigures];
  const on = backend.name === 'webgpu' ? `WebGPU, ${backend.adapter ?? ''}` : `WASM, ${backend.threads} threads`;
  console.log(`${place}\npreset ${preset} on ${on}\n\nseconds of work, stage by stage`);
  printTable([
    ['minutes', 'wall', 'RTF', 'DER', 'speakers', ...STAGES],
    ...lengths.map((figures) => [
      String(figures.minutes),
      seconds(figures.wallSeconds),
      (figures.wallSeconds / figures.durationSeconds).toFixed(4),
      figures.der === null ? '-' : `${(100 * figures.der).toFixed(2)} %`,
      String(figures.numSpeakers),
      ...STAGES.map((stage) => seconds(figures.stageSeconds[stage] ?? 0)),
    ]),
    ['exponent', power(exponents.wall), '', '', '', ...STAGES.map((stage) => power(exponents[stage]))],
  ]);
  console.log(`\nmemory of the browser, ${memoryKind.toUpperCase()} in MB, and its peak during each stage`);
  printTable([
    ['minutes', 'before', 'peak', 'after', ...STAGES, 'longest task'],
    ...lengths.map(({ minutes, memory, longestTaskMs }) => [
      String(minutes),
      megabytes(memory.before),
      megabytes(memory.peak),
      megabytes(memory.after),
      ...STAGES.map((stage) => megabytes(memory.peakByStage[stage])),
      longestTaskMs === 0 ? '< 50 ms' : `${Math.round(longestTaskMs)} ms`,
    ]),
  ]);
  for (const line of missed) console.log(`missed: ${line}`);
}

const seconds = (value: number): string => value.toFixed(value < 1 ? 3 : 1);
const power = (value: number | null | undefined): string => value?.toFixed(2) ?? '-';
const megabytes = (bytes: number | undefined): string => (bytes === undefined ? '-' : (bytes / 1e6).toFixed(0));

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) console.log(`  ${row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')}`);
}
