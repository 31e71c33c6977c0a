/** Documents of a result. Runs in Node and on the engine page, so that both write the same bytes. */
import { toJson } from '../src/formats/json';
import { toRttm } from '../src/formats/rttm';
import { toAudacityLabels, toCsv, toSrt, toWebVtt } from '../src/formats/textExports';
import { toEaf, toTextGrid } from '../src/formats/tiers';
import type { DiarizationResult, Turn } from '../src/index';

/** Endings of the file names, by format. */
export const FORMAT_SUFFIXES = {
  rttm: '.rttm',
  'exclusive-rttm': '.exclusive.rttm',
  json: '.json',
  csv: '.csv',
  srt: '.srt',
  vtt: '.vtt',
  audacity: '.labels.txt',
  textgrid: '.TextGrid',
  eaf: '.eaf',
} as const;

export type Format = keyof typeof FORMAT_SUFFIXES;

export const FORMATS = Object.keys(FORMAT_SUFFIXES) as readonly Format[];

/** What documents contain besides the result. Plain data, because it comes from another process. */
export interface DocumentRequest {
  readonly formats: readonly Format[];
  /** Whether formats other than JSON contain one speaker at a time. */
  readonly exclusive: boolean;
  /** Name of the file, for JSON and ELAN. */
  readonly file: string;
  /** Name of the recording in RTTM. */
  readonly uri: string;
  /** Date of ELAN documents, in milliseconds since 1970. */
  readonly dateMs: number;
}

/** The documents, by format. */
export type Documents = Readonly<Partial<Record<Format, string>>>;

export function documentsOf(result: DiarizationResult, request: DocumentRequest): Documents {
  const turns = request.exclusive ? result.exclusiveTurns : result.turns;
  return Object.fromEntries(request.formats.map((format) => [format, documentOf(format, result, turns, request)]));
}

function documentOf(format: Format, result: DiarizationResult, turns: readonly Turn[], { file, uri, dateMs }: DocumentRequest): string {
  switch (format) {
    case 'rttm':
      return toRttm(turns, uri);
    case 'exclusive-rttm':
      return toRttm(result.exclusiveTurns, uri);
    case 'json':
      return toJson(file, result);
    case 'csv':
      return toCsv(turns);
    case 'srt':
      return toSrt(turns);
    case 'vtt':
      return toWebVtt(turns);
    case 'audacity':
      return toAudacityLabels(turns);
    case 'textgrid':
      return toTextGrid(turns, result.durationSeconds);
    case 'eaf':
      return toEaf(turns, { mediaFile: file, date: new Date(dateMs) });
  }
}

/** Ending of a result's file name. */
export function suffixOf(format: Format, exclusive: boolean): string {
  const suffix = FORMAT_SUFFIXES[format];
  return exclusive && format !== 'json' && format !== 'exclusive-rttm' ? `.exclusive${suffix}` : suffix;
}
