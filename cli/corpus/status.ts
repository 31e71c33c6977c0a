/** Command line: the state of a corpus run. */
import { print } from '../output';
import { commandOf, runScript } from '../script';
import { parsed, parseFlags } from '../usage';
import { tableText } from './errorTable';
import { type CorpusStatus, readStatus } from './readStatus';

export const HELP = `Usage: voxlane corpus status DIR [options]

Prints how many recordings are done, running, failed and left, the speed, the time left, and a table of errors: count, kind,
example and fix. Can run at any time, on any machine that can read the folder.

  --json                       print one JSON object
  --help                       print this text

Exit status: 0 if nothing failed, 1 if recordings failed or were refused, or the folder cannot be read, 2 for wrong usage.
`;

async function main(args: readonly string[]): Promise<number> {
  const command = parsed(() => parseCommand(args));
  if (command === 'help') {
    await print(HELP);
    return 0;
  }
  const status = await readStatus(command.folder, Date.now());
  await print(command.isJson ? `${JSON.stringify(status)}\n` : statusText(status));
  return status.numFailed + status.numRefused > 0 ? 1 : 0;
}

/** @throws Error with a one-line message for invalid arguments */
function parseCommand(args: readonly string[]): { readonly folder: string; readonly isJson: boolean } | 'help' {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options });
  if (values.help === true) return 'help';
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error('expected one corpus folder. Try --help.');
  return { folder, isJson: values.json ?? false };
}

/** The state as text, with the error table at the end. */
export function statusText(status: CorpusStatus): string {
  const { numEntries, numDone, numSilent, numRunning, numFailed, numRemaining, numRefused, audioHoursPerHour, secondsLeft, errors } = status;
  const done = `${numDone} of ${numEntries} done${numSilent > 0 ? ` (${numSilent} silent)` : ''}`;
  const lines = [
    `${done}, ${numRunning} running, ${numFailed} failed, ${numRemaining} left, ${numRefused} refused by the plan`,
    `${hours(status.audioSecondsDone)} of ${hours(status.audioSeconds)} of audio`,
  ];
  if (audioHoursPerHour !== null) lines.push(`${audioHoursPerHour.toFixed(1)} hours of audio per hour`);
  if (secondsLeft !== null && status.audioSecondsLeft > 0) lines.push(`${duration(secondsLeft)} left`);
  const table = errors.length === 0 ? '' : `\n${tableText(errors)}`;
  return `${lines.join('\n')}\n${table}`;
}

const hours = (seconds: number): string => `${(seconds / 3600).toFixed(2)} h`;

/** Rounded up, because an estimate must not be zero. */
function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const run = commandOf('corpus status', 1, main);
/** The same under the name of the command. */
export const statusCommand = run;

await runScript(import.meta.url, run);
