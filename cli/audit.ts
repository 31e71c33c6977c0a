/**
 * Command line: inspects all weight tensors of a graph, alone or against a checkpoint.
 *
 *     npm run --silent audit -- MODEL.onnx [CHECKPOINT] [--json] [--flagged]
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { auditWeights } from '../src/compare/audit/auditWeights';
import type { AuditEntry, AuditReport } from '../src/compare/report';
import type { NamedFile } from '../src/compare/files/goldenFiles';
import { shapeText } from '../src/compare/tensor';
import { parseOnnx } from '../src/onnx/model';
import { messageOf, VoxlaneError } from '../src/util/errors';
import { errorLine } from './errorLine';
import { besidePath } from './externalData';
import { commandOfOutcome, runScript, type Outcome as ScriptOutcome } from './script';
import { parseFlags } from './usage';

export const HELP = `Usage: voxlane audit MODEL.onnx [CHECKPOINT] [options]

Lists all weight tensors with SHA-256, mean, standard deviation, and counts of zeros and NaN. Flags suspicious tensors:
all zero, equal to initial values before training, not finite, or misplaced in the file. With a checkpoint, also flags
tensors that are missing, transposed, reordered, or different. Changes made by a correct export are listed but not
flagged: weights transposed for MatMul, gates in ONNX order, folded batch norms, and zeros that the checkpoint also has.
CHECKPOINT is a .safetensors, .npz or .gguf file.

  --flagged   list only flagged tensors
  --json      print the report as JSON on standard output
  --help      print this text

Exit status: 0 if nothing is flagged, 1 if something is flagged, 2 if a file cannot be read.
`;

export type Outcome = ScriptOutcome<0 | 1 | 2>;

interface AuditCommand {
  readonly model: string;
  readonly checkpoint: string | undefined;
  readonly flagged: boolean;
  readonly json: boolean;
}

/**
 * The command without the process. Every failure is an outcome with exit code 2 and one line on stderr.
 *
 * @param args the arguments after the name of the script
 */
export async function main(args: readonly string[]): Promise<Outcome> {
  let command: AuditCommand | 'help';
  try {
    command = parseCommand(args);
  } catch (thrown) {
    return { exitCode: 2, stdout: '', stderr: `audit: ${messageOf(thrown)}\n` };
  }
  if (command === 'help') return { exitCode: 0, stdout: HELP, stderr: '' };
  const { model, checkpoint, flagged, json } = command;
  try {
    const report = await auditWeights(
      parseOnnx(read(model).bytes, model, (location) => readBeside(model, location)),
      model,
      checkpoint === undefined ? null : read(checkpoint),
      () => undefined,
    );
    const shown = flagged ? onlyFlagged(report) : report;
    const stdout = json ? `${JSON.stringify(shown, null, 2)}\n` : describe(shown);
    return { exitCode: report.numFlagged === 0 ? 0 : 1, stdout, stderr: '' };
  } catch (thrown) {
    const error = thrown instanceof VoxlaneError ? thrown.toParts() : { code: 'format', problem: messageOf(thrown) };
    const stdout = json ? `${JSON.stringify({ error }, null, 2)}\n` : '';
    return { exitCode: 2, stdout, stderr: `audit: ${errorLine(thrown)}\n` };
  }
}

function parseCommand(args: readonly string[]): AuditCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      flagged: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [model, checkpoint, ...others] = positionals;
  if (model === undefined || others.length > 0) throw new Error('expected a graph and optionally a checkpoint. Try --help.');
  return { model, checkpoint, flagged: values.flagged, json: values.json };
}

/** Reads a file with weights of the graph from the graph's folder or a subfolder. */
function readBeside(model: string, location: string): Uint8Array | undefined {
  const path = besidePath(model, location);
  return path !== null && existsSync(path) ? read(path).bytes : undefined;
}

function read(path: string): NamedFile {
  try {
    return { name: basename(path), bytes: new Uint8Array(readFileSync(path)) };
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

const isFlagged = ({ flags }: AuditEntry): boolean => flags.length > 0;

function onlyFlagged({ weights, checkpoint, ...rest }: AuditReport): AuditReport {
  return {
    ...rest,
    weights: weights.filter(isFlagged),
    checkpoint: checkpoint && { ...checkpoint, weights: checkpoint.weights.filter(isFlagged) },
  };
}

function describe({ model, weights, checkpoint, numFlagged }: AuditReport): string {
  const against = checkpoint ? ` against ${checkpoint.file}` : '';
  return [
    `${model}${against}: ${numFlagged === 0 ? 'nothing' : numFlagged} flagged`,
    ...weights.flatMap(entryLines),
    ...(checkpoint ? ['', checkpoint.file, ...checkpoint.weights.flatMap(entryLines)] : []),
    '',
  ].join('\n');
}

function entryLines(entry: AuditEntry): string[] {
  const { name, dtype, shape, sha256, mean, standardDeviation, zeroCount, nonFiniteCount, match, flags, remarks } = entry;
  const figure = (value: number | null): string => value?.toPrecision(4) ?? 'none';
  const figures = [
    `${dtype} ${shapeText(shape)}`,
    `mean ${figure(mean)}`,
    `spread ${figure(standardDeviation)}`,
    ...(zeroCount > 0 ? [`${zeroCount} zeros`] : []),
    ...(nonFiniteCount > 0 ? [`${nonFiniteCount} not finite`] : []),
    // Enough to compare two tensors by eye. The JSON report has the full hash.
    `sha256 ${sha256.slice(0, 12)}`,
  ];
  return [
    `  ${name}: ${figures.join(', ')}`,
    ...(match ? [`    is ${match.name} (${match.how})`] : []),
    ...(flags.length > 0 ? [`    ${flags.join(', ')}`] : []),
    ...remarks.map((remark) => `      ${remark}`),
  ];
}

export const run = commandOfOutcome('audit', main);

await runScript(import.meta.url, run);
