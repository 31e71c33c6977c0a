/** Checkpoints in the format of https://huggingface.co/docs/safetensors, read as a whole. */
import { VoxlaneError } from '../../util/errors';
import { LENGTH_BYTES, parseHeader, readHeaderLength, type Unreadable } from '../../weights/safetensorsHeader';
import { checkpointTensor, type CheckpointTensor } from './elements';

/**
 * Reads the tensors of a `.safetensors` file in header order; their bytes are views of the file. A tensor has a `problem`
 * if its bytes overlap another tensor, follow a gap, are misaligned or have the wrong length.
 *
 * @param name file name for errors
 * @throws VoxlaneError `format` if the file ends in its header, or the header is not a JSON list of tensors
 */
export function readSafetensors(bytes: Uint8Array, name: string): CheckpointTensor[] {
  const unreadable: Unreadable = (found, cause) => failure(name, found, cause);
  const bodyStart = LENGTH_BYTES + readHeaderLength(bytes.subarray(0, LENGTH_BYTES), bytes.length, unreadable);
  const body = bytes.subarray(bodyStart);
  const { tensors } = parseHeader(bytes.subarray(LENGTH_BYTES, bodyStart), body.length, unreadable);
  return tensors.map(({ start, end, isInFile, ...facts }) =>
    checkpointTensor({ ...facts, bytes: isInFile ? body.subarray(start, end) : new Uint8Array(0) }),
  );
}

function failure(name: string, found: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError(
    {
      code: 'format',
      problem: `${name} ${found}`,
      expected: 'a whole .safetensors file',
      remedy: 'Save it with safetensors.torch.save_file(tensors, file)',
    },
    { cause },
  );
}
