import { Diarizer, type SimulatedFault } from '../index';
import { deleteStoredModel, presetFacts, storedModels } from '../pipeline/presets';
import { mountApp } from './app';

/**
 * `?simulate-fault=STAGE:KIND` shows the page on a broken GPU, such as `segmentation:perturb`. Nothing else sets it; a
 * stage or kind that does not exist is no fault.
 */
function simulatedFault(): { simulateFault?: SimulatedFault } {
  const [stage, kind] = new URLSearchParams(location.search).get('simulate-fault')?.split(':') ?? [];
  return stage && kind ? { simulateFault: { stage, kind } as SimulatedFault } : {};
}

const root = document.getElementById('app');
if (root) {
  mountApp(root, (options) => Diarizer.create({ ...options, ...simulatedFault() }), {
    presets: presetFacts,
    stored: storedModels,
    delete: deleteStoredModel,
  });
}
