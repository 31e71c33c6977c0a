import { VoxlaneError } from '../util/errors';

/** A line of a text file that contains a record. */
export interface TextRecord {
  /** 1-based line number, including blank lines and comments, as in text editors. */
  readonly line: number;
  /** The line without surrounding white space. */
  readonly text: string;
  /** The parts between runs of white space; at least one field. */
  readonly fields: readonly string[];
}

/** A number in RTTM and UEM files. `Number` alone would also accept an empty string, `0x10` and `Infinity`. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * The records of a NIST text format (RTTM, UEM): one per line, with fields separated by white space.
 *
 * Skips blank lines and comments that start with `;;`. Accepts a byte order mark and the line ends of all
 * systems.
 */
export function readRecords(text: string): TextRecord[] {
  const records: TextRecord[] = [];
  for (const [index, raw] of linesOf(text.replace(/^\uFEFF/, '')).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';;')) continue;
    records.push({ line: index + 1, text: line, fields: line.split(/\s+/) });
  }
  return records;
}

/**
 * The lines of a text with the line ends of any system. `\r\r\n` is one line end: programs on Windows produce it if they
 * write `\r\n` to a file in text mode.
 */
export function linesOf(text: string): string[] {
  // Not split(/\r*\n|\r/), whose time grows with the square of a run of carriage returns.
  return text.replace(/(\r+)(\n?)/g, (_, returns: string, feed: string) => feed || '\n'.repeat(returns.length)).split('\n');
}

/** Whether a field is a number as allowed in these files. */
export function isDecimal(field: string | undefined): boolean {
  return field !== undefined && DECIMAL.test(field);
}

/**
 * Parses one field of a record as seconds.
 *
 * @throws VoxlaneError `format` if the field is not a finite decimal number.
 */
export function secondsAt(record: TextRecord, index: number, name: string, expectedRecord: string): number {
  const field = record.fields[index] ?? '';
  const seconds = DECIMAL.test(field) ? Number(field) : NaN;
  if (!Number.isFinite(seconds)) {
    throw unreadable(record, `has the ${name} "${field}", which is not a number`, expectedRecord);
  }
  return seconds;
}

/** The error for a record that cannot be read. `found` continues the sentence "Line 3 of the RTTM …". */
export function unreadable(record: TextRecord, found: string, expectedRecord: string): VoxlaneError {
  const plain = record.text.replace(/\p{Cc}+/gu, ' ');
  const shown = plain.length > 120 ? `${plain.slice(0, 120)}…` : plain;
  return new VoxlaneError({
    code: 'format',
    problem: `Line ${record.line} ${found}: ${shown}`,
    expected: `"${expectedRecord}"`,
    remedy: 'Correct or remove that line',
  });
}

/**
 * Converts names to distinct names that a format supports.
 *
 * A name that the format supports does not change. A converted name that equals an earlier one gets the first
 * free number, starting at 2: `A_B` and `A B` become `A_B` and `A_B_2`.
 *
 * @param names numbered in this order; duplicates count once
 * @param written converts a name to one that the format supports
 * @returns the name to write, by original name
 */
export function distinctNames(names: readonly string[], written: (name: string) => string): Map<string, string> {
  const unique = [...new Set(names)];
  const taken = new Set(unique.filter((name) => written(name) === name));
  const nextNumbers = new Map<string, number>();
  return new Map(
    unique.map((name) => {
      const plain = written(name);
      if (plain === name) return [name, name];
      let free = plain;
      while (taken.has(free)) {
        const number = nextNumbers.get(plain) ?? 2;
        nextNumbers.set(plain, number + 1);
        free = `${plain}_${number}`;
      }
      taken.add(free);
      return [name, free];
    }),
  );
}
