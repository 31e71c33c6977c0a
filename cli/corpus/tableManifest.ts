/** Tables: one recording or segment per row, with names of columns in the first row. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse';
import { messageOf } from '../../src/util/errors';
import { textProblem } from './jsonLines';
import { numberField, pathFrom, type Read, readOr, Refused, type Source, speakersField, textField } from './source';

/** Accepted names of each column, in lower case. */
const COLUMNS = {
  path: ['path', 'file', 'audio', 'audio_filepath', 'audio_path', 'filename', 'wav'],
  recording: ['id', 'uri', 'name', 'recording', 'recording_id'],
  start: ['start', 'start_seconds', 'offset'],
  duration: ['duration', 'duration_seconds'],
  end: ['end', 'end_seconds'],
  speakers: ['speakers', 'num_speakers'],
  rttm: ['rttm', 'rttm_filepath', 'reference'],
  uem: ['uem', 'uem_filepath'],
} as const;

/**
 * Reads a CSV or TSV file. Other columns are ignored.
 *
 * @throws Error with a one-line message if the file cannot be read or has no column with paths
 */
export async function* readTable(path: string): AsyncGenerator<Read, void, undefined> {
  const delimiter = await delimiterOf(path);
  const parser = parse({
    bom: true,
    delimiter,
    columns: (names: readonly string[]) => names.map((name) => name.trim().toLowerCase()),
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  const file = createReadStream(path);
  file.on('error', (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    let isFirst = true;
    for await (const row of parser as AsyncIterable<{ readonly info: { readonly lines: number }; readonly record: Readonly<Record<string, string>> }>) {
      if (isFirst) checkColumns(Object.keys(row.record));
      isFirst = false;
      const source = `${path}, line ${row.info.lines}`;
      yield readOr(source, () => readRow(path, source, row.record));
    }
  } catch (cause) {
    throw new Error(`${path} cannot be read${cause instanceof CsvError ? ' as CSV' : ''}: ${messageOf(cause)}`, { cause });
  } finally {
    file.destroy();
    parser.destroy();
  }
}

/** More than the first row has. */
const HEAD_BYTES = 1 << 16;

/** The delimiter of the first row. The cells may contain the others, for example decimal commas. */
async function delimiterOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const problem = textProblem(buffer.subarray(0, bytesRead));
    if (problem !== null) throw new Error(`${path} cannot be read: ${problem}`);
    const [row = ''] = buffer.toString('utf8', 0, bytesRead).split('\n', 1);
    const names = row.replace(/"[^"]*"/g, '');
    const count = (delimiter: string): number => names.split(delimiter).length;
    return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
  } finally {
    await file.close();
  }
}

function checkColumns(names: readonly string[]): void {
  if (names.some((name) => COLUMNS.path.some((known) => known === name))) return;
  throw new Error(`no column is named ${COLUMNS.path.slice(0, 4).join(', ')} or ${COLUMNS.path[4]}. The first row has ${names.slice(0, 8).join(', ')}`);
}

function readRow(manifest: string, source: string, row: Readonly<Record<string, string>>): Source {
  const columnOf = (kind: keyof typeof COLUMNS): string => COLUMNS[kind].find((name) => (row[name] ?? '') !== '') ?? COLUMNS[kind][0];
  const path = textField(row, columnOf('path'));
  if (path === undefined) throw new Refused({ code: 'entry', problem: 'The row has no path', expected: 'the path of a recording', remedy: 'Correct the row of the table' });
  const startSeconds = numberField(row, columnOf('start'));
  const end = numberField(row, columnOf('end'));
  const [rttm, uem] = [textField(row, columnOf('rttm')), textField(row, columnOf('uem'))];
  const durationSeconds = numberField(row, columnOf('duration')) ?? (end === undefined ? undefined : end - (startSeconds ?? 0));
  if (durationSeconds !== undefined && durationSeconds < 0) {
    throw new Refused({ code: 'segment', problem: `The segment ends at ${end} s, before it starts`, expected: 'an end after the start', remedy: 'Correct the row of the table' });
  }
  return {
    source,
    path: pathFrom(manifest, path),
    recording: textField(row, columnOf('recording')),
    startSeconds,
    durationSeconds,
    numSpeakers: speakersField(row, columnOf('speakers')),
    referenceRttm: rttm && pathFrom(manifest, rttm),
    uem: uem && pathFrom(manifest, uem),
  };
}
