import { toAudacityLabels, toCsv, toSrt, toWebVtt } from '../formats/textExports';
import { toEaf, toTextGrid } from '../formats/tiers';
import { annotationOf } from '../editing/annotationOf';
import { exclusiveOf } from '../editing/exclusive';
import { type JsonSource, toJson } from '../formats/json';
import { toRttm } from '../formats/rttm';
import type { Turn } from '../timeline/turns';
import type { ExportedFile } from '../ui-kit/files';
import { rttmUri, stem } from '../ui-kit/format';
import type { ShownResult } from './givenResult';
import type { Outcome } from './state/phase';

export type WidgetExport = 'rttm' | 'json' | 'srt' | 'vtt' | 'csv' | 'audacity' | 'textgrid' | 'eaf';

/** Speaker names by label. */
export interface SpeakerNames {
  /** Names set by the user. */
  readonly given: ReadonlyMap<string, string>;
  /** For every speaker: the name set by the user, or a numbered name. */
  readonly shown: ReadonlyMap<string, string>;
}

/**
 * Exports a result as a file. RTTM and JSON keep the labels of unnamed speakers; the other formats use the names that
 * the widget shows.
 */
export function exportFile(format: WidgetExport, { name, result }: Outcome, names: SpeakerNames, date: Date): ExportedFile {
  const called = (shown: ReadonlyMap<string, string>): Turn[] =>
    result.turns.map((turn) => ({ ...turn, speaker: shown.get(turn.speaker) ?? turn.speaker }));
  const file = (extension: string, type: string, content: string): ExportedFile => ({ name: `${stem(name)}.${extension}`, type, content });
  switch (format) {
    case 'rttm':
      return file('rttm', 'text/plain', toRttm(called(names.given), rttmUri(name)));
    case 'json': {
      return file('json', 'application/json', toJson(name, jsonSource(result, names.given)));
    }
    case 'srt':
      return file('srt', 'application/x-subrip', toSrt(called(names.shown)));
    case 'vtt':
      return file('vtt', 'text/vtt', toWebVtt(called(names.shown)));
    case 'csv':
      return file('csv', 'text/csv', toCsv(called(names.shown)));
    case 'audacity':
      return file('labels.txt', 'text/plain', toAudacityLabels(called(names.shown)));
    case 'textgrid':
      return file('TextGrid', 'text/plain', toTextGrid(called(names.shown), result.durationSeconds));
    case 'eaf':
      return file('eaf', 'application/xml', toEaf(called(names.shown), { mediaFile: name, date }));
  }
}

/** Turns that were set by the page have no run: what is unknown is null or computed from the turns. */
function jsonSource(result: ShownResult, names: SpeakerNames['given']): JsonSource {
  const { turns, durationSeconds } = result;
  const speechOf = (label: string): number =>
    turns.reduce((sum, turn) => (turn.speaker === label ? sum + turn.endSeconds - turn.startSeconds : sum), 0);
  return {
    ...result,
    backend: result.backend ?? null,
    timings: result.timings ?? {},
    exclusiveTurns: result.exclusiveTurns ?? exclusiveOf(annotationOf(turns, [], result.speakers, durationSeconds)),
    speakers: result.speakers.map((speaker) => ({
      label: speaker.label,
      name: names.get(speaker.label) ?? null,
      speechSeconds: speaker.speechSeconds ?? speechOf(speaker.label),
      centroid: speaker.centroid ?? null,
    })),
  };
}
