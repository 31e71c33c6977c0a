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
        color: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
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
    withPresentSpeakers(content),
    voxlaneSchema,
    EXPECTED,
  );
  return { name: file, durationSeconds, turns, exclusiveTurns: exclusiveHints ?? exclusiveTurns, speakers };
}

/** Release 0.2 wrote the color of a speaker as `colour`. */
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

/** Who spoke when in one recording, as a file says it. `annotationOf` makes an annotation of it. */
export interface ImportedRecording {
  /** As the file calls it; the name of the file where it does not. */
  readonly name: string;
  /** Length of the recording; null where the file does not tell. */
  readonly durationSeconds: number | null;
  /** In the order of the file, none without length. */
  readonly turns: readonly TurnSource[];
  /** Who is heard where several speak; empty where the file does not tell. */
  readonly exclusiveTurns: readonly Turn[];
  /** In the order of their lanes; empty where the file has nothing but their turns. */
  readonly speakers: readonly SpeakerSource[];
}

/** Some 115 days. A larger time is damaged, or a date in seconds; a time axis of that length would stop the page. */
const MAX_SECONDS = 1e7;

/** How programs number the speakers that they have no name for. */
const NUMBERED = /^SPEAKER_\d+$/i;

/**
 * The turns of a file of this program or of another, told by its content: RTTM, our own JSON (with names, colors and
 * what was corrected), the JSON of pyannote, or segments with `start`, `end` and `speaker` as whisperX writes them.
 *
 * Turns without length are left out. Labels such as `Anna` become the speakers' names, those such as `SPEAKER_00` do
 * not.
 *
 * @param fileName for the recording's name, and for the errors
 * @returns every recording that the file holds, at least one: an RTTM file can hold several
 * @throws VoxlaneError `format` where the content is none of these, has a turn that ends before it starts or starts
 *   before the recording, has a time beyond 10,000,000 s, or has no turn at all and is not our own JSON
 */
export function readAnyTurns(fileName: string, text: string): ImportedRecording[] {
  const content = text.replace(/^\uFEFF/, '');
  const recordings = looksLikeJson(content) ? readTurnsJson(fileName, content) : readRttm(text);
  if (recordings.length === 0) {
    throw new VoxlaneError({
      code: 'format',
      problem: `"${fileName}" holds no turns`,
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

/** Turns without length count too: a huge start swallows a duration. */
function checkLength({ name, durationSeconds, turns, exclusiveTurns }: ImportedRecording): void {
  const longest = [...turns, ...exclusiveTurns].reduce((most, { endSeconds }) => Math.max(most, endSeconds), durationSeconds ?? 0);
  if (longest <= MAX_SECONDS) return;
  throw new VoxlaneError({
    code: 'format',
    problem: `"${name}" is ${longest} s long`,
    expected: `seconds from the start of the recording, at most ${MAX_SECONDS.toLocaleString('en')}`,
    remedy: 'Subtract the time at which the recording starts, or correct the damaged time',
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

/** The turns that have a length. */
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

/** The speakers that the file lists, or else those of the turns in the order in which they begin. */
function named({ speakers, turns }: ImportedRecording): SpeakerSource[] {
  if (speakers.length > 0) return [...speakers];
  const byStart = [...turns].sort((a, b) => a.startSeconds - b.startSeconds);
  return Array.from(new Set(byStart.map(({ speaker }) => speaker)), (label) => ({
    label,
    name: NUMBERED.test(label) ? null : label,
  }));
}
