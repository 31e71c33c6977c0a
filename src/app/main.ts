import { Diarizer, forgetGpuChecks } from '../index';
import { deleteStoredModel, presetInfo, storedModels } from '../engine/presets';
import { mountApp } from './app';
import { startPage } from '../ui-kit/start';

startPage((root) => {
  mountApp(root, (options) => Diarizer.create(options), {
    // The user confirmed a stored file with an unknown hash.
    presets: () => presetInfo({ trustUnknownModel: true }),
    stored: storedModels,
    delete: deleteStoredModel,
    forgetGpuChecks,
  });
});
