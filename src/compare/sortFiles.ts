import { VoxlaneError } from '../util/errors';
import type { NamedFile } from './files/goldenFiles';
import { readNpz } from './files/npz';
import { readSafetensors } from './files/safetensors';

/** What somebody dropped, by what it is for. */
export interface SortedFiles {
  readonly graph: NamedFile | null;
  /** One bundle, in whatever form. */
  readonly goldens: readonly NamedFile[];
  /** Trained weights, for the audit. */
  readonly checkpoint: NamedFile | null;
}

/** `inputs/waveform`, `stages.lstm` */
const ROLE = /^(inputs|stages)[/.]/;
const PICKLES = /\.(pt|pth|bin|ckpt|pkl)$/i;

/**
 * Tells graph, goldens and checkpoint apart, by the ends of their names.
 *
 * A `.npz` or `.safetensors` can be either of the last two: it is a golden one where one of its tensors is called as an
 * input or stage of a model, or `inputs/NAME` or `stages/NAME`, and no bundle lies beside it.
 *
 * @param isGolden whether a model has an input or stage of that name
 * @throws VoxlaneError `options` for two graphs or checkpoints, or a file of no use here; `format` for pickles
 */
export function sortFiles(files: readonly NamedFile[], isGolden: (name: string) => boolean): SortedFiles {
  const ending = (end: RegExp): NamedFile[] => files.filter(({ name }) => end.test(name));
  const [pickle] = ending(PICKLES);
  if (pickle) throw pickled(pickle.name);
  const graphs = ending(/\.onnx$/i);
  const isFolder = ending(/(^|\/)manifest\.json$/i).length > 0;
  const certain = ending(/\.(zip|npy)$/i);
  const either = ending(/\.(npz|safetensors)$/i);
  const goldens = isFolder
    ? // Whatever its manifest names, a graph among it; the rest is left alone.
      files
    : certain.length > 0
      ? certain
      : either.filter((file) => tensorNames(file).some((name) => ROLE.test(name) || isGolden(name)));
  const graph = only('graph', graphs);
  const checkpoint = only('checkpoint', [...either.filter((file) => isFolder || !goldens.includes(file)), ...ending(/\.gguf$/i)]);
  if (!graph && goldens.length === 0 && !checkpoint) throw nothing(files);
  return { graph, goldens, checkpoint };
}

function tensorNames({ name, bytes }: NamedFile): string[] {
  const tensors = /\.npz$/i.test(name) ? readNpz(bytes, name) : readSafetensors(bytes, name);
  return tensors.map((tensor) => tensor.name);
}

function only(role: string, files: readonly NamedFile[]): NamedFile | null {
  if (files.length < 2) return files[0] ?? null;
  throw new VoxlaneError({
    code: 'options',
    problem: `There is more than one ${role}: ${files.map(({ name }) => name).join(', ')}`,
    expected: `one ${role} at a time`,
    remedy: 'Open them one after the other',
  });
}

function pickled(name: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${name} is a Python pickle, which only Python can read`,
    expected: 'a checkpoint as .safetensors, .npz or .gguf',
    remedy: 'Save it with safetensors.torch.save_file(model.state_dict(), "weights.safetensors")',
  });
}

function nothing(files: readonly NamedFile[]): VoxlaneError {
  return new VoxlaneError({
    code: 'options',
    problem: `Nothing can be compared in ${files.map(({ name }) => name).join(', ') || 'no file at all'}`,
    expected: 'golden outputs (.zip, .npz, .npy, .safetensors or a folder), an .onnx graph, or a checkpoint',
    remedy: 'Open one of these',
  });
}
