import { Diarizer, forgetGpuChecks } from '../index';
import { deleteStoredModel, presetInfo, storedModels } from '../engine/presets';
import { mountApp } from './app';
import { startPage } from '../ui-kit/start';

startPage((root) => {
  mountApp(root, (options) => Diarizer.create(options), {
    // A stored file of unknown hash was confirmed by the user.
    presets: () => presetInfo({ trustUnknownModel: true }),
    stored: storedModels,
    delete: deleteStoredModel,
    forgetGpuChecks,
  });
});
