/** Command line: merges the results of a corpus into files for other programs. */
import { print, warn } from '../output';
import { commandOf, runScript } from '../script';
import { parsed, parseFlags } from '../usage';
import { readPlan } from './layout';
import { mergeCorpus, type MergeRequest } from './mergeCorpus';

export const HELP = `Usage: voxlane corpus merge DIR [options]

Merges the results of a corpus, in the order of the manifest. Writes:
  corpus.rttm                  all turns
  rttm/ID.rttm                 the turns of each entry
  supervisions.jsonl           all turns for Lhotse
  nemo.jsonl                   one entry per recording or segment for NeMo, with the absolute path of its RTTM file
  results.jsonl                status, times, counts and versions of every entry, including failed and refused ones

Refuses to merge while recordings have neither a result nor a recorded failure.

  --out DIR2                   output folder (default DIR)
  --allow-missing              merge although recordings have no result yet
  --allow-mixed                merge results of different versions or options
  --help                       print this text

Exit status: 0 if every planned recording has a result, 1 if some failed or are missing, or if nothing was merged, 2 for wrong usage.
`;

async function main(args: readonly string[]): Promise<number> {
  const request = parsed(() => parseCommand(args));
  if (request === 'help') {
    await print(HELP);
    return 0;
  }
  await readPlan(request.folder);
  const { numDone, numFailed, numMissing, numRefused, numTurns, audioSeconds } = await mergeCorpus(request);
  await print(`${numDone} merged into ${request.out}: ${(audioSeconds / 3600).toFixed(2)} h of audio, ${numTurns} turns\n`);
  const others = [[numFailed, 'failed'], [numMissing, 'without a result'], [numRefused, 'refused by the plan']] as const;
  const left = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (left.length > 0) warn(`corpus merge: not in the output: ${left.join(', ')}. results.jsonl lists them`);
  return numFailed + numMissing > 0 ? 1 : 0;
}

/** @throws Error with a one-line message for invalid arguments */
export function parseCommand(args: readonly string[]): MergeRequest | 'help' {
  const flag = { type: 'boolean' } as const;
  const options = { out: { type: 'string' }, 'allow-missing': flag, 'allow-mixed': flag, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options });
  if (values.help === true) return 'help';
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new Error('expected one corpus folder. Try --help.');
  return { folder, out: values.out ?? folder, allowMissing: values['allow-missing'] ?? false, allowMixed: values['allow-mixed'] ?? false };
}

export const run = commandOf('corpus merge', 1, main);
/** The same under the name of the command. */
export const mergeCommand = run;

await runScript(import.meta.url, run);
