import { version } from '../../../package.json';
import type { Annotation } from '../../editing/annotation';
import { annotationToJson } from '../../formats/annotationJson';
import { toAudacityLabels, toCsv, toSrt, toWebVtt } from '../../formats/textExports';
import { toEaf, toTextGrid } from '../../formats/tiers';
import { type JsonSource, runManifest, type RunManifest } from '../../formats/json';
import { toRttm } from '../../formats/rttm';
import type { Turn } from '../../timeline/turns';
import type { ExportedFile } from '../../ui-kit/files';
import { rttmUri, stem } from '../../ui-kit/format';
import type { Outcome } from '../state';
import type { ExportFormat, ExportRequest } from '../workspace/turnsClient';
import { distinctNames, exportNamesOf } from './speakerNames';
import { shownTurns } from './shownTurns';

/**
 * Exports a result in one of the formats. JSON always contains both kinds of turns. The other formats contain the shown
 * turns.
 */
export function exportFile(format: ExportFormat, request: ExportRequest): ExportedFile {
  const { outcome, annotation, mode } = request;
  // Computed only for the formats that need it: there can be a million turns.
  const named = (): Turn[] => withNames(shownTurns(annotation, mode), exportNamesOf(annotation));
  const base = stem(outcome.name) + (mode === 'exclusive' ? '.exclusive' : '');
  const file = (extension: string, type: string, content: string): ExportedFile => ({ name: `${base}.${extension}`, type, content });
  switch (format) {
    case 'rttm':
      return file('rttm', 'text/plain', toRttm(withLabels(annotation, shownTurns(annotation, mode)), rttmUri(outcome.name)));
    case 'json':
      return {
        name: `${stem(outcome.name)}.json`,
        type: 'application/json',
        content: annotationToJson(outcome.name, jsonSource(outcome), annotation, manifestOf(request) ?? undefined),
      };
    case 'srt':
      return file('srt', 'application/x-subrip', toSrt(named()));
    case 'vtt':
      return file('vtt', 'text/vtt', toWebVtt(named()));
    case 'csv':
      return file('csv', 'text/csv', toCsv(named()));
    case 'audacity':
      return file('labels.txt', 'text/plain', toAudacityLabels(named()));
    case 'textgrid':
      return file('TextGrid', 'text/plain', toTextGrid(named(), annotation.durationSeconds));
    case 'eaf':
      return file('eaf', 'application/xml', toEaf(named(), { mediaFile: outcome.name, date: request.date }));
  }
}

/** RTTM keeps the label of unnamed speakers: a number by track order would refer to a different speaker after a merge. */
function withLabels({ speakers }: Annotation, turns: readonly Turn[]): Turn[] {
  return withNames(turns, distinctNames(new Map(speakers.map(({ id, name }) => [id, name ?? id]))));
}

function withNames(turns: readonly Turn[], names: ReadonlyMap<string, string>): Turn[] {
  return turns.map((turn) => ({ ...turn, speaker: names.get(turn.speaker) ?? turn.speaker }));
}

/** The result of the run; for turns read from a file, a source without one. */
function jsonSource({ result, annotation, name }: Outcome): JsonSource {
  if (result) return result;
  return {
    durationSeconds: annotation.durationSeconds,
    backend: { name: 'none', adapter: null, threads: 0, reason: `The turns were read from ${name}` },
    turns: [],
    exclusiveTurns: [],
    speakers: [],
    timings: {},
  };
}

function manifestOf({ outcome, isCorrected, date, userAgent }: ExportRequest): RunManifest | null {
  const { result, options, blob, name } = outcome;
  if (!result) return null;
  return runManifest(result, {
    program: { name: 'voxlane', version },
    date: date.toISOString(),
    source: { name, bytes: blob?.size ?? null },
    settings: {
      speakers: options?.speakerMode === 'exact' ? options.exact : null,
      minSpeakers: options?.speakerMode === 'range' ? options.min : null,
      maxSpeakers: options?.speakerMode === 'range' ? options.max : null,
      backend: options?.backend ?? null,
      preset: options?.preset ?? null,
      speed: options?.speed ?? null,
      clustering: result.clustering,
      minDurationOn: result.minDurationOn,
      minDurationOff: result.minDurationOff,
    },
    models: result.models,
    userAgent,
    isCorrected,
  });
}
