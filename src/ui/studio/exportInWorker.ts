import { transfer } from 'comlink';
import { buffersOf, packAnnotation } from '../../editing/packed';
import type { DiarizationResult } from '../../pipeline/types';
import { inSlices } from '../../util/slices';
import { withTurnsWorker } from '../work/spawnTurns';
import type { WrittenFile } from '../work/turnsContract';
import type { ExportFormat, ExportRequest } from './exports';
import { namesOf } from './names';

/** `exportFile` in a worker, for a large number of turns. */
export async function exportInWorker(format: ExportFormat, { annotation, outcome, ...request }: ExportRequest): Promise<WrittenFile> {
  const { blob, companions: _companions, annotation: _annotation, result, ...rest } = outcome;
  const names = namesOf(annotation);
  // RTTM and JSON contain only names given by the user. The other formats have the names that the page shows, in its language.
  const isShown = format !== 'rttm' && format !== 'json';
  const speakers = isShown ? annotation.speakers.map((speaker) => ({ ...speaker, name: names.get(speaker.id) ?? null })) : annotation.speakers;
  const packed = (await inSlices(packAnnotation({ ...annotation, speakers })))!;
  const light = { ...rest, result: result && withoutTurns(result) };
  return withTurnsWorker((worker) =>
    worker.call((remote) =>
      remote.write(format, transfer({ ...request, outcome: light, annotation: packed, soundBytes: blob?.size ?? null }, buffersOf(packed.turns, packed.exclusiveHints))),
    ),
  );
}

/** Exported turns come from the annotation, and no format writes the voices. */
function withoutTurns(result: DiarizationResult): DiarizationResult {
  const { voices: _voices, ...light } = result;
  return { ...light, turns: [], exclusiveTurns: [] };
}
