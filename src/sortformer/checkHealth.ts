import type { StreamingSettings } from '../store/streamingSettings';
import { VoxlaneError } from '../util/errors';
import type { StreamNetwork } from './network';
import type { FrontEnd } from './sampleFramer';
import { SpeakerStream } from './speakerStream';

/**
 * Checks that an unknown model returns plausible logits for a sound with speech and pauses: finite, and not the same for all
 * frames. Whether they are right cannot be known without golden outputs.
 *
 * @param samples axes (sample), float32 in [-1, 1]
 * @throws VoxlaneError `model-invalid` with the problem
 */
export async function checkHealth(
  id: string,
  model: { readonly network: StreamNetwork; readonly settings: StreamingSettings; readonly frontEnd: FrontEnd },
  samples: Float32Array,
): Promise<void> {
  const stream = new SpeakerStream('samples', { ...model, mode: 'offline' });
  const logits = await logitsOf(stream, samples).catch((error: unknown) => {
    // The network checks that its values are finite and not all zero.
    throw error instanceof VoxlaneError && error.code === 'model-output' ? unhealthy(id, error.problem) : error;
  });
  const { numSpeakers } = model.settings;
  if (logits.every((logit, index) => logit === logits[index % numSpeakers])) throw unhealthy(id, 'its output is the same for speech and for pauses');
}

async function logitsOf(stream: SpeakerStream, samples: Float32Array): Promise<Float32Array> {
  const first = await stream.push(samples);
  const last = await stream.finish();
  return Float32Array.of(...first.logits, ...last.logits);
}

const unhealthy = (id: string, found: string): VoxlaneError =>
  new VoxlaneError({
    code: 'model-invalid',
    problem: `The file does not work as ${id}: ${found}`,
    expected: 'finite outputs that depend on the sound',
    remedy: 'Use the file listed in the manifest',
  });
