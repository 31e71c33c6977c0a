/**
 * Command line: prints the error rates of an RTTM file against a reference as JSON.
 *
 *     npm run --silent score -- REF.rttm HYP.rttm [--collar S] [--skip-overlap] [--uem FILE]
 */
import { parseRttm } from '../src/formats/rttm';
import { parseUem } from '../src/formats/uem';
import { type ByRecording, type RecordingsScore, scoreRecordings } from '../src/score/score';
import type { Turn } from '../src/timeline/turns';
import { messageOf } from '../src/util/errors';
import { readTextFile } from './textFile';
import { errorLine } from './errorLine';
import { commandOfOutcome, runScript, type Outcome as ScriptOutcome } from './script';
import { parseFlags } from './usage';

export const HELP = `Usage: voxlane score REF.rttm HYP.rttm [options]

Prints the diarization error rate and the Jaccard error rate of HYP against REF as JSON, as
pyannote.metrics 4.2.0 computes them.

Options:
  --collar S       exclude S seconds around each boundary of the reference, half on each
                   side (default 0)
  --skip-overlap   exclude regions where turns of the reference overlap
  --uem FILE       score only the regions of this UEM file (default: from the first start
                   to the last end of both files)
  --help           print this text

Output: der and the ...Rate values are fractions of total; jer is the mean over the reference's
speakers, 0 to 1; missedSpeech, falseAlarm, confusion, correct and total are in seconds; mapping
maps speakers of HYP to speakers of the reference.
If the files contain several recordings, the scores are summed over the recordings, and mapping
has one table per recording.

Exit status: 0 if the files were scored, 1 if one cannot be read, 2 for wrong usage.
`;

export type Outcome = ScriptOutcome<0 | 1 | 2>;

/**
 * The command without the process. Every failure is an outcome with one line on stderr: exit code 1, or 2 with the
 * usage for invalid arguments.
 *
 * @param args the arguments after the name of the script
 */
export function main(args: readonly string[]): Outcome {
  let request: Request;
  try {
    request = readArguments(args);
  } catch (thrown) {
    return { exitCode: 2, stdout: '', stderr: `score: ${messageOf(thrown)}\n\n${HELP}` };
  }
  if (request.help) return { exitCode: 0, stdout: HELP, stderr: '' };
  const notes: string[] = [];
  const warn = (note: string): void => void notes.push(note);
  try {
    const { collarSeconds, skipOverlap } = request;
    const uem = request.uem === undefined ? {} : { uem: load(request.uem, parseUem, warn) };
    const reference = load(request.reference, parseRttm, warn);
    const hypothesis = load(request.hypothesis, parseRttm, warn);
    const score = scoreRecordings(reference, hypothesis, { collarSeconds, skipOverlap, ...uem });
    if (score.ignored.length > 0) warn(`not in the reference, left out: ${score.ignored.join(', ')}`);
    const missed = missedNames(reference, hypothesis);
    if (missed.length > 0) warn(`not in the hypothesis, counted as missed: ${missed.join(', ')}`);
    if (score.total === 0) warn('the reference has no speech in the scored regions, so the rates are not meaningful');
    const stderr = notes.map((note) => `score: ${note}\n`).join('');
    return { exitCode: 0, stdout: `${JSON.stringify(report(score), null, 2)}\n`, stderr };
  } catch (thrown) {
    return { exitCode: 1, stdout: '', stderr: `score: ${errorLine(thrown)}\n` };
  }
}

/** Recordings with speech that are missing from the hypothesis. Single recordings are compared regardless of their names. */
function missedNames(reference: ByRecording<Turn>, hypothesis: ByRecording<Turn>): string[] {
  if (reference.size <= 1 && hypothesis.size === 1) return [];
  return [...reference.keys()].filter((name) => !hypothesis.has(name));
}

interface Request {
  readonly help: boolean;
  readonly reference: string;
  readonly hypothesis: string;
  readonly collarSeconds: number;
  readonly skipOverlap: boolean;
  readonly uem: string | undefined;
}

function readArguments(args: readonly string[]): Request {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      collar: { type: 'string', default: '0' },
      'skip-overlap': { type: 'boolean', default: false },
      uem: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [reference = '', hypothesis = ''] = positionals;
  if (!values.help && positionals.length !== 2) {
    throw new Error(`Files given: ${positionals.length}. Expected 2: the reference and the hypothesis.`);
  }
  const collarSeconds = values.collar.trim() === '' ? NaN : Number(values.collar);
  if (!(collarSeconds >= 0 && collarSeconds < Infinity)) {
    throw new Error(`--collar is "${values.collar}". Expected seconds, 0 or more.`);
  }
  const { help, uem, 'skip-overlap': skipOverlap } = values;
  return { help, reference, hypothesis, collarSeconds, skipOverlap, uem };
}

/** Reads and parses a file. Errors name the file. */
function load<T>(path: string, parse: (text: string) => T, warn: (note: string) => void): T {
  try {
    return parse(readTextFile(path, warn));
  } catch (thrown) {
    throw new Error(`${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function report(score: RecordingsScore) {
  const { der, jer, missedSpeech, falseAlarm, confusion, correct, total, recordings } = score;
  // If the reference has no speech, the rates follow the rule of `der`.
  const rate = (seconds: number) => (total === 0 ? Number(seconds > 0) : seconds / total);
  const mappings = [...recordings].map(([name, { mapping }]) => [name, mapping] as const);
  return {
    der,
    jer,
    missedSpeech,
    falseAlarm,
    confusion,
    correct,
    total,
    missedSpeechRate: rate(missedSpeech),
    falseAlarmRate: rate(falseAlarm),
    confusionRate: rate(confusion),
    mapping: mappings.length > 1 ? Object.fromEntries(mappings) : (mappings[0]?.[1] ?? {}),
  };
}

export const run = commandOfOutcome('score', main);

await runScript(import.meta.url, run);
