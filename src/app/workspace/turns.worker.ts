import { transfer } from 'comlink';
import { exclusiveOf } from '../../editing/exclusive';
import { buffersOf, packAnnotation, packTurns, unpackAnnotation, type PackedAnnotation } from '../../editing/packed';
import { readAnyTurns, type ImportedRecording } from '../../formats/anyTurns';
import { decodeText } from '../../util/decodeText';
import { VoxlaneError } from '../../util/errors';
import { atOnce } from '../../util/concurrency';
import { serve } from '../../../workers/protocol';
import { exportFile } from '../editor/exports';
import { importedAnnotation, type TurnsWorkerApi } from './turnsClient';

let recordings: readonly ImportedRecording[] = [];

const moved = (annotation: PackedAnnotation): PackedAnnotation => transfer(annotation, buffersOf(annotation.turns, annotation.exclusiveHints));

serve<TurnsWorkerApi>({
  async read(file) {
    const { text, encoding } = decodeText(new Uint8Array(await file.arrayBuffer()), file.name);
    recordings = readAnyTurns(file.name, text);
    const found = recordings.map(({ name, turns, speakers }) => ({ name, numTurns: turns.length, numSpeakers: speakers.length }));
    return { found, isGuess: encoding === 'windows-1252' };
  },
  take(index, durationSeconds) {
    const recording = recordings[index];
    if (!recording) throw new VoxlaneError({ code: 'disposed', problem: `There is no recording ${index}`, expected: 'read() before take()' });
    return Promise.resolve(moved(atOnce(packAnnotation(importedAnnotation(recording, durationSeconds)))));
  },
  exclusive(annotation) {
    const packed = atOnce(packTurns(exclusiveOf(atOnce(unpackAnnotation(annotation)))));
    return Promise.resolve(transfer(packed, buffersOf(packed)));
  },
  write(format, { outcome, annotation: packed, soundBytes, ...request }) {
    const annotation = atOnce(unpackAnnotation(packed));
    const blob = soundBytes === null ? null : ({ size: soundBytes } as Blob);
    const { name, type, content } = written(() => exportFile(format, { ...request, outcome: { ...outcome, annotation, blob }, annotation }));
    return Promise.resolve({ name, type, content: new Blob([content], { type }) });
  },
});

/** The browser's error for a string that is too long does not state the reason. */
function written<Result>(write: () => Result): Result {
  try {
    return write();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new VoxlaneError(
      {
        code: 'format',
        problem: 'The exported file would exceed the maximum string length of this browser',
        expected: 'at most about 500 million characters',
        remedy: 'Export a more compact format, such as CSV or RTTM',
      },
      { cause },
    );
  }
}
