import * as v from 'valibot';
import type { Turn } from '../timeline/turn';
import { VoxlaneError } from '../util/errors';
import type { ImportedRecording } from './anyTurns';
import { checkJson, hasKey, parseJson } from './checkedJson';

const seconds = v.pipe(v.number(), v.finite());
const label = v.pipe(v.string(), v.nonEmpty());

const turnSchema = v.object({
  startSeconds: seconds,
  endSeconds: seconds,
  speaker: label,
  confidence: v.exactOptional(v.nullable(seconds)),
  isCorrected: v.exactOptional(v.boolean()),
});

/** What `toJson` and `annotationToJson` write, as far as turns go. */
const voxlaneSchema = v.object({
  file: v.string(),
  durationSeconds: seconds,
  turns: v.array(turnSchema),
  exclusiveTurns: v.exactOptional(v.array(turnSchema), []),
  exclusiveHints: v.exactOptional(v.array(turnSchema)),
  speakers: v.exactOptional(
    v.array(
      v.object({
        label,
        name: v.exactOptional(v.nullable(v.string())),
        colour: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      }),
    ),
    [],
  ),
});

/** A segment as pyannote.audio's `serialize` and whisperX write it; whisperX leaves `speaker` out where nobody was found. */
const segmentSchema = v.object({ start: seconds, end: seconds, speaker: v.optional(v.nullable(label)) });
const segmentsSchema = v.array(segmentSchema);

const pyannoteSchema = v.object({
  diarization: segmentsSchema,
  exclusive_diarization: v.exactOptional(segmentsSchema, []),
});
const whisperXSchema = v.object({ segments: segmentsSchema });

const EXPECTED =
  'the JSON of this program, of pyannote.audio ("diarization"), or "segments" with start, end and speaker';

/**
 * The turns of a JSON file: our own, pyannote.audio's, or segments with speakers. Times and labels only: what the turns
 * have to be is checked by `readAnyTurns`.
 *
 * @returns one recording; none where segments have no speakers
 * @throws VoxlaneError `format`, with the path in the file of what is wrong
 */
export function readTurnsJson(fileName: string, text: string): ImportedRecording[] {
  const content = parseJson(fileName, text, EXPECTED);
  if (hasKey(content, 'turns')) return [ours(fileName, content)];
  const read = readOther(fileName, content);
  if (read.turns.length === 0) return [];
  return [{ name: fileName, durationSeconds: null, speakers: [], ...read }];
}

function ours(fileName: string, content: unknown): ImportedRecording {
  const { file, durationSeconds, turns, exclusiveTurns, exclusiveHints, speakers } = checkJson(
    fileName,
    content,
    voxlaneSchema,
    EXPECTED,
  );
  return { name: file, durationSeconds, turns, exclusiveTurns: exclusiveHints ?? exclusiveTurns, speakers };
}

function readOther(fileName: string, content: unknown): Pick<ImportedRecording, 'turns' | 'exclusiveTurns'> {
  if (hasKey(content, 'diarization')) {
    const { diarization, exclusive_diarization: exclusive } = checkJson(fileName, content, pyannoteSchema, EXPECTED);
    return { turns: turnsOf(diarization), exclusiveTurns: turnsOf(exclusive) };
  }
  if (hasKey(content, 'segments')) {
    return { turns: turnsOf(checkJson(fileName, content, whisperXSchema, EXPECTED).segments), exclusiveTurns: [] };
  }
  if (Array.isArray(content))
    return { turns: turnsOf(checkJson(fileName, content, segmentsSchema, EXPECTED)), exclusiveTurns: [] };
  throw new VoxlaneError({
    code: 'format',
    problem: `"${fileName}" holds JSON that has no turns`,
    expected: EXPECTED,
    remedy: 'Choose another file, or export this one again',
  });
}

function turnsOf(segments: readonly v.InferOutput<typeof segmentSchema>[]): Turn[] {
  return segments.flatMap(({ start, end, speaker }) =>
    speaker == null ? [] : [{ startSeconds: start, endSeconds: end, speaker }],
  );
}
