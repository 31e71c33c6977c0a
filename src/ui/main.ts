import { Diarizer } from '../index';
import { deleteStoredModel, presetFacts, storedModels } from '../pipeline/presets';
import { mountApp } from './app';

const root = document.getElementById('app');
if (root) {
  mountApp(root, (options) => Diarizer.create(options), {
    presets: presetFacts,
    stored: storedModels,
    delete: deleteStoredModel,
  });
}
