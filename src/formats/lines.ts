import { VoxlaneError } from '../util/errors';

/** One line of a text file that holds a record. */
export interface TextRecord {
  /** 1-based, counting the blank lines and the comments, as editors count. */
  readonly line: number;
  /** The line without the white space around it. */
  readonly text: string;
  /** What stands between runs of spaces and tabs; at least one field. */
  readonly fields: readonly string[];
}

/** A number as RTTM and UEM files hold it. `Number` alone would also take nothing at all, `0x10` and `Infinity`. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * The records of a NIST text format (RTTM, UEM): one on each line, fields between white space.
 *
 * Blank lines and the comments that start with `;;` are left out; a byte order mark and line ends of every
 * system are taken, because such files come from many hands.
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
 * The lines of a text with the line ends of any system. `\r\r\n` is one line end: programs on Windows write it if they
 * write `\r\n` to a file in text mode.
 */
export function linesOf(text: string): string[] {
  // Not split(/\r*\n|\r/), whose time grows with the square of a run of carriage returns.
  return text.replace(/(\r+)(\n?)/g, (_, returns: string, feed: string) => feed || '\n'.repeat(returns.length)).split('\n');
}

/** Whether a field is a number as these files hold it. */
export function isDecimal(field: string | undefined): boolean {
  return field !== undefined && DECIMAL.test(field);
}

/**
 * The seconds in one field of a record.
 *
 * @throws VoxlaneError `format` where the field holds no finite decimal number.
 */
export function secondsAt(record: TextRecord, index: number, name: string, expectedRecord: string): number {
  const field = record.fields[index] ?? '';
  const seconds = DECIMAL.test(field) ? Number(field) : NaN;
  if (!Number.isFinite(seconds)) {
    throw unreadable(record, `has the ${name} "${field}", which is no number`, expectedRecord);
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
 * Distinct names that a format can hold.
 *
 * A name that the format can hold does not change. Another name that would become equal to one before it gets the first
 * free number from 2 on: `A_B` and `A B` become `A_B` and `A_B_2`.
 *
 * @param names numbered in this order; duplicates count once
 * @param written converts one name to what the format can hold
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
