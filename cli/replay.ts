/**
 * Command line: runs the stages after the models on a capture of pyannote's community-1 and compares the results.
 *
 *     npm run --silent replay -- CAPTURE_DIR [--out FILE.rttm] [--json]
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readPlda, type Plda } from '../src/clustering/plda';
import { CAPTURE_FILES, type DifferenceUnit, readCapture, replay, type StageDifference } from '../src/engine/replay';
import { parseManifest } from '../src/store/manifest';
import { parsePldaManifest } from '../src/store/plda';
import { timeGeometry } from '../src/segmentation/geometry';
import { messageOf, VoxlaneError } from '../src/util/errors';
import { requireWritable, writeResult } from './output';
import { errorLine } from './errorLine';
import { modelsFolder } from './place';
import { commandOfOutcome, runScript, type Outcome as ScriptOutcome } from './script';
import { parseFlags } from './usage';

export const HELP = `Usage: voxlane replay CAPTURE_DIR [options]

Reads raw_embeddings.npz and segmentations.npz from a capture of pyannote's community-1 pipeline, runs the subsequent
stages (PLDA, AHC, VBx, clusters, speaker count, diarization), and prints the maximum difference of each stage in the
capture.

  --out FILE.rttm   write the turns
  --json            print the differences as JSON on standard output
  --help            print this text

Exit status: 0 if every stage agrees, 1 if a stage differs, 2 if a file cannot be read or written.
`;

const SEGMENTATION = 'segmentation-3.0';
const PLDA = 'plda-community-1';

export type Outcome = ScriptOutcome<0 | 1 | 2>;

interface ReplayCommand {
  readonly folder: string;
  readonly out: string | undefined;
  readonly json: boolean;
}

/**
 * The command without the process. Every failure is an outcome with exit code 2 and one line on stderr.
 *
 * @param args the arguments after the name of the script
 */
export function main(args: readonly string[]): Outcome {
  let command: ReplayCommand | 'help';
  try {
    command = parseCommand(args);
  } catch (thrown) {
    return { exitCode: 2, stdout: '', stderr: `replay: ${messageOf(thrown)}\n` };
  }
  if (command === 'help') return { exitCode: 0, stdout: HELP, stderr: '' };
  const { folder, out, json } = command;
  try {
    if (out !== undefined) requireWritable(out);
    const geometry = timeGeometry(parseManifest('segmentation', readManifest(SEGMENTATION), SEGMENTATION));
    const capture = readCapture(readFolder(folder), geometry);
    const { rttm, differences } = replay(capture, loadPlda(), basename(resolve(folder)));
    if (out !== undefined) writeResult(out, rttm);
    const agrees = differences.every((difference) => difference.agrees);
    const stdout = json ? `${JSON.stringify({ agrees, stages: differences.map(plain) }, null, 2)}\n` : describe(differences);
    return { exitCode: agrees ? 0 : 1, stdout, stderr: '' };
  } catch (thrown) {
    const error = thrown instanceof VoxlaneError ? thrown.toParts() : { code: 'format', problem: messageOf(thrown) };
    const stdout = json ? `${JSON.stringify({ error }, null, 2)}\n` : '';
    return { exitCode: 2, stdout, stderr: `replay: ${errorLine(thrown)}\n` };
  }
}

function parseCommand(args: readonly string[]): ReplayCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) throw new Error('expected the folder of one capture. Try --help.');
  return { folder, out: values.out, json: values.json };
}

function readFolder(folder: string): Map<string, Uint8Array> {
  const present = CAPTURE_FILES.filter((name) => existsSync(join(folder, name)));
  return new Map(present.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}

const readManifest = (id: string): unknown => JSON.parse(readFileSync(join(modelsFolder(), id, 'manifest.json'), 'utf8'));

/** @throws VoxlaneError `model-altered` if the file does not match the hash in its manifest */
function loadPlda(): Plda {
  const manifest = parsePldaManifest(readManifest(PLDA), PLDA);
  const bytes = new Uint8Array(readFileSync(join(modelsFolder(), PLDA, manifest.file.name)));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== manifest.file.sha256) {
    throw new VoxlaneError({
      code: 'model-altered',
      problem: `The file ${PLDA}/${manifest.file.name} has SHA-256 ${found}`,
      expected: `${manifest.file.sha256}, as stated in its manifest`,
      remedy: 'Install the file again: it was truncated, changed or replaced',
    });
  }
  return readPlda(manifest, bytes);
}

const UNIT_TEXT: Readonly<Record<DifferenceUnit, string>> = {
  relative: 'of the greatest value',
  absolute: '',
  values: 'values differ',
  seconds: 's',
};

/** JSON has no infinity, so stages that cannot be compared are null. */
const plain = (difference: StageDifference) => {
  return { ...difference, greatest: Number.isFinite(difference.greatest) ? difference.greatest : null };
};

function describe(differences: readonly StageDifference[]): string {
  if (differences.length === 0) return 'The capture has no later stage to compare with\n';
  const width = Math.max(...differences.map(({ stage }) => stage.length));
  const lines = differences.map(({ stage, unit, greatest, agrees, remark }) => {
    const amount = unit === 'values' ? String(greatest) : greatest.toExponential(1);
    const found = remark === '' ? `${amount} ${UNIT_TEXT[unit]}`.trimEnd() : remark;
    return `${agrees ? 'agrees ' : 'DIFFERS'}  ${stage.padEnd(width)}  ${found}`;
  });
  return `${lines.join('\n')}\n`;
}

export const run = commandOfOutcome('replay', main);

await runScript(import.meta.url, run);
