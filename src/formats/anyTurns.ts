import * as v from 'valibot';
import type { SpeakerSource, TurnSource } from '../editing/annotationOf';
import type { Turn } from '../timeline/turns';
import { VoxlaneError } from '../util/errors';
import { withPresentNames } from '../util/formerNames';
import { checkJson, hasKey, looksLikeJson, parseJson } from './checkedJson';
import { parseRttm } from './rttm';

const seconds = v.pipe(v.number(), v.finite());
const label = v.pipe(v.string(), v.nonEmpty());

const turnSchema = v.object({
  startSeconds: seconds,
  endSeconds: seconds,
  speaker: label,
  confidence: v.exactOptional(v.nullable(seconds)),
  isCorrected: v.exactOptional(v.boolean()),
});

/** The parts of the output of `toJson` and `annotationToJson` that concern turns. */
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
        color: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      }),
    ),
    [],
  ),
});

/** A segment as written by pyannote.audio's `serialize` and by whisperX, which omits `speaker` if it found none. */
const segmentSchema = v.object({ start: seconds, end: seconds, speaker: v.optional(v.nullable(label)) });
const segmentsSchema = v.array(segmentSchema);

const pyannoteSchema = v.object({
  diarization: segmentsSchema,
  exclusive_diarization: v.exactOptional(segmentsSchema, []),
});
const whisperXSchema = v.object({ segments: segmentsSchema });

const EXPECTED =
  'JSON of Voxlane, of pyannote.audio ("diarization"), or "segments" with start, end and speaker';

/**
 * The turns of a JSON file: our own, pyannote.audio's, or segments with speakers. Reads only times and labels;
 * `readAnyTurns` validates the turns.
 *
 * @returns one recording; none if segments have no speakers
 * @throws VoxlaneError `format`, with the path of the invalid value in the file
 */
function readTurnsJson(fileName: string, text: string): ImportedRecording[] {
  const content = parseJson(fileName, text, EXPECTED);
  if (hasKey(content, 'turns')) return [ours(fileName, content)];
  const read = readOther(fileName, content);
  if (read.turns.length === 0) return [];
  return [{ name: fileName, durationSeconds: null, speakers: [], ...read }];
}

function ours(fileName: string, content: unknown): ImportedRecording {
  const { file, durationSeconds, turns, exclusiveTurns, exclusiveHints, speakers } = checkJson(
    fileName,
    withPresentSpeakers(content),
    voxlaneSchema,
    EXPECTED,
  );
  return { name: file, durationSeconds, turns, exclusiveTurns: exclusiveHints ?? exclusiveTurns, speakers };
}

/** Earlier releases wrote the color of a speaker as `colour`. */
function withPresentSpeakers(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || !('speakers' in content)) return content;
  return { ...content, speakers: withPresentNames(content.speakers, { colour: 'color' }) };
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
    problem: `"${fileName}" is JSON without turns`,
    expected: EXPECTED,
    remedy: 'Choose another file, or export this one again',
  });
}

function turnsOf(segments: readonly v.InferOutput<typeof segmentSchema>[]): Turn[] {
  return segments.flatMap(({ start, end, speaker }) =>
    speaker == null ? [] : [{ startSeconds: start, endSeconds: end, speaker }],
  );
}

/** The turns of one recording in a file. `annotationOf` creates an annotation from it. */
export interface ImportedRecording {
  /** Name in the file; the name of the file if it contains none. */
  readonly name: string;
  /** Length of the recording; null if the file does not contain it. */
  readonly durationSeconds: number | null;
  /** In file order, without turns of zero length. */
  readonly turns: readonly TurnSource[];
  /** Turns with one speaker at a time; empty if the file contains none. */
  readonly exclusiveTurns: readonly Turn[];
  /** In track order; empty if the file contains only turns. */
  readonly speakers: readonly SpeakerSource[];
}

/** About 115 days. A greater time is damaged or a date in seconds; a time axis of that length would freeze the page. */
const MAX_SECONDS = 1e7;

/** Labels of speakers without a name. */
const NUMBERED = /^SPEAKER_\d+$/i;

/**
 * Reads turns from a file and detects its format: RTTM, our own JSON (with names, colors and
 * corrections), the JSON of pyannote.audio, or segments with `start`, `end` and `speaker` as written by whisperX.
 *
 * Turns of zero length are omitted. Labels such as `Anna` become names of speakers; labels such as `SPEAKER_00` do
 * not.
 *
 * @param fileName used as the name of the recording and in errors
 * @returns all recordings in the file, at least one: an RTTM file can contain several
 * @throws VoxlaneError `format` if the content has another format, a turn ends before it starts or starts
 *   before the recording, a time is greater than 10,000,000 s, or there are no turns and the file is not our own JSON
 */
export function readAnyTurns(fileName: string, text: string): ImportedRecording[] {
  const content = text.replace(/^\uFEFF/, '');
  const recordings = looksLikeJson(content) ? readTurnsJson(fileName, content) : readRttm(text);
  if (recordings.length === 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" contains no turns`,
      expected: 'an RTTM file with SPEAKER lines, or JSON with turns',
      remedy: 'Choose another file, or export this one again',
    });
  }
  recordings.forEach(checkLength);
  return recordings.map((recording) => ({
    ...recording,
    turns: sound(recording.turns, recording.name),
    exclusiveTurns: sound(recording.exclusiveTurns, recording.name),
    speakers: named(recording),
  }));
}

/** Also checks turns of zero length: adding a duration to a huge start can have no effect. */
function checkLength({ name, durationSeconds, turns, exclusiveTurns }: ImportedRecording): void {
  const longest = [...turns, ...exclusiveTurns].reduce((most, { endSeconds }) => Math.max(most, endSeconds), durationSeconds ?? 0);
  if (longest <= MAX_SECONDS) return;
  throw new VoxlaneError({
    code: 'format',
    problem: `"${name}" is ${longest} s long`,
    expected: `seconds from the start of the recording, at most ${MAX_SECONDS.toLocaleString('en')}`,
    remedy: 'Subtract the start time of the recording, or correct the damaged time',
  });
}

function readRttm(text: string): ImportedRecording[] {
  return Array.from(parseRttm(text), ([name, turns]) => ({
    name,
    durationSeconds: null,
    turns,
    exclusiveTurns: [],
    speakers: [],
  }));
}

/** The turns with a length above zero. */
function sound<T extends Turn>(turns: readonly T[], name: string): T[] {
  for (const [index, { startSeconds, endSeconds }] of turns.entries()) {
    if (startSeconds >= 0 && endSeconds >= startSeconds) continue;
    throw new VoxlaneError({
      code: 'format',
      problem: `Turn ${index + 1} of "${name}" is from ${startSeconds} s to ${endSeconds} s`,
      expected: 'a start of 0 s or more, and an end after it',
      remedy: 'Correct or remove that turn',
    });
  }
  return turns.filter(({ startSeconds, endSeconds }) => endSeconds > startSeconds);
}

/** The speakers listed in the file; otherwise those of the turns, in the order of their first turn. */
function named({ speakers, turns }: ImportedRecording): SpeakerSource[] {
  if (speakers.length > 0) return [...speakers];
  const byStart = [...turns].sort((a, b) => a.startSeconds - b.startSeconds);
  return Array.from(new Set(byStart.map(({ speaker }) => speaker)), (label) => ({
    label,
    name: NUMBERED.test(label) ? null : label,
  }));
}
