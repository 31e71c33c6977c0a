import { VoxlaneError } from '../../util/errors';
import { loadPart } from '../../util/loadPart';
import type { CheckpointTensor } from '../files/checkpoint';
import type { NamedFile } from '../files/goldenFiles';
import { readNpz } from '../files/npz';
import { readSafetensors } from '../files/safetensors';
import { isZip } from '../files/zip';

const GGUF_MAGIC = 'GGUF';

/**
 * The tensors of a checkpoint, in the file's order. The form is told by how the file begins, for browsers rename what
 * they save; `.safetensors` begins with a number, and is told by its name.
 *
 * @throws VoxlaneError `format` where it is of another form, damaged or cut off
 */
export async function readCheckpoint({ name, bytes }: NamedFile): Promise<CheckpointTensor[]> {
  if (new TextDecoder('latin1').decode(bytes.subarray(0, GGUF_MAGIC.length)) === GGUF_MAGIC || /\.gguf$/i.test(name)) {
    // Only here: its library has 230 kB that few audits need.
    const { readGguf } = await loadPart(() => import('./gguf'));
    return readGguf(bytes, name);
  }
  if (/\.safetensors$/i.test(name)) return readSafetensors(bytes, name);
  // Of the zips, PyTorch's own are pickles with a name of their own, and hold no .npy file.
  if (/\.npz$/i.test(name) || (isZip(bytes) && !/\.(pt|pth|bin|ckpt)$/i.test(name))) return readNpz(bytes, name);
  throw new VoxlaneError({
    code: 'format',
    problem: `${name} is no checkpoint that can be read`,
    expected: 'a .safetensors, .npz or .gguf file',
    remedy: 'Save it with safetensors.torch.save_file(torch.load(path), other)',
  });
}
