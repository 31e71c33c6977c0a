/** Command line: checks the recordings of a corpus and splits them into shards. */
import { number } from '../arguments';
import { print, prepareFolder, say, warn } from '../output';
import { commandOf, runScript } from '../script';
import { parsed, parseFlags } from '../usage';
import { refusalTable } from './errorTable';
import type { Plan, Refusal } from './layout';
import { requireIdle } from './leases';
import { makePlan, type PlanRequest } from './makePlan';

export const HELP = `Usage: voxlane corpus plan INPUT… --out DIR [options]

Checks every recording of a corpus and splits the corpus into shards of nearly equal audio duration. Writes
DIR/manifest.jsonl, DIR/refused.jsonl and DIR/plan.json. Reads headers only, and decodes nothing.

An INPUT is one of:
  FILE.jsonl, .json            JSON lines: NeMo entries or Lhotse recordings, also compressed (.gz)
  FILE.csv, .tsv               a table with a column path, and optional columns id, start, duration, end, speakers, rttm, uem
  FILE.lst, .txt               a list of paths; with --audio, a list of names, as in pyannote.database
  FOLDER                       all recordings in it and in its subfolders
  any other file               a recording

Paths in an input are relative to the input, or else to the working folder.

  --out DIR                    the corpus folder; created if it does not exist
  --shards N                   number of shards (default 1)
  --audio TEMPLATE             path of the recording {uri} of a list, such as '/data/{uri}.wav'
  --rttm TEMPLATE              path of its reference turns
  --uem TEMPLATE               path of the parts of it to score
  --help                       print this text

Exit status: 0 if every entry was planned, 1 if some were refused, 2 for wrong usage.
`;

/** Refusals that are printed. The others are in the file. */
const MAX_PRINTED = 20;
const MAX_SHARDS = 100_000;
const PROGRESS_MS = 5000;

async function main(args: readonly string[]): Promise<number> {
  // The container library writes warnings for its developers. Refusals say the same in other words.
  console.warn = () => undefined;
  const request = parsed(() => parseCommand(args));
  if (request === 'help') {
    await print(HELP);
    return 0;
  }
  prepareFolder(request.folder);
  await requireIdle(request.folder, Date.now());
  let printed = 0;
  let lastMs = Date.now();
  const { plan, otherFiles } = await makePlan({
    ...request,
    onEntry(numEntries, numRefused) {
      if (Date.now() - lastMs < PROGRESS_MS) return;
      lastMs = Date.now();
      say(`corpus plan: ${numEntries} checked, ${numRefused} refused`);
    },
    onRefusal(refusal) {
      if (printed++ < MAX_PRINTED) warn(`corpus plan: ${refusalLine(refusal)}`);
    },
  });
  if (printed > MAX_PRINTED) warn(`corpus plan: ${printed - MAX_PRINTED} more are refused, see refused.jsonl`);
  await print(await summary(plan, request.folder, otherFiles));
  return plan.numRefused === 0 && plan.numEntries > 0 ? 0 : 1;
}

/** @throws Error with a one-line message for invalid arguments */
export function parseCommand(args: readonly string[]): PlanRequest | 'help' {
  const text = { type: 'string' } as const;
  const options = { out: text, shards: text, audio: text, rttm: text, uem: text, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options });
  if (values.help === true) return 'help';
  if (positionals.length === 0) throw new Error('expected at least one manifest, folder or recording. Try --help.');
  if (values.out === undefined) throw new Error('expected --out DIR, the corpus folder. Try --help.');
  const numShards = number('--shards', values.shards) ?? 1;
  if (!Number.isInteger(numShards) || numShards < 1 || numShards > MAX_SHARDS) {
    throw new Error(`--shards is ${values.shards}. Expected a whole number from 1 to ${MAX_SHARDS}.`);
  }
  const { audio, rttm, uem } = values;
  for (const [name, template] of Object.entries({ audio, rttm, uem })) {
    if (template !== undefined && !template.includes('{uri}')) throw new Error(`--${name} is ${template}. Expected a path with {uri} in it.`);
  }
  if (audio === undefined && (rttm ?? uem) !== undefined) throw new Error('--rttm and --uem need --audio. Try --help.');
  return { inputs: positionals, folder: values.out, numShards, templates: { audio, rttm, uem } };
}

function refusalLine({ source, path, problem, remedy }: Refusal): string {
  const where = path === null || path === source ? source : `${source}: ${path}`;
  return `${where}: ${problem}${remedy === undefined ? '' : `. ${remedy}`}`;
}

async function summary({ numEntries, numRefused, totalSeconds, numShards, shards }: Plan, folder: string, otherFiles: number): Promise<string> {
  const hours = (seconds: number): string => `${(seconds / 3600).toFixed(2)} h`;
  const loads = shards.map(({ seconds }) => seconds);
  const sizes = numShards === 1 ? '1 shard' : `${numShards} shards of ${hours(Math.min(...loads))} to ${hours(Math.max(...loads))}`;
  const lines = [`${numEntries} planned, ${hours(totalSeconds)} of audio, in ${sizes}`];
  if (otherFiles > 0) lines.push(`${otherFiles} ${otherFiles === 1 ? 'file' : 'files'} in folders left out, because the ending is not one of a recording`);
  if (numRefused > 0) lines.push(`${numRefused} refused, listed in refused.jsonl`, await refusalTable(folder));
  return `${lines.join('\n').trimEnd()}\n`;
}

export const run = commandOf('corpus plan', 1, main);
/** The same under the name of the command. */
export const planCommand = run;

await runScript(import.meta.url, run);
