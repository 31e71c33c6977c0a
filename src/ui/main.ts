import { Diarizer, forgetGpuChecks } from '../index';
import { deleteStoredModel, presetFacts, storedModels } from '../pipeline/presets';
import { mountApp } from './app';
import { startPage } from './start';

startPage((root) => {
  mountApp(root, (options) => Diarizer.create(options), {
    // A file of unknown hash is kept only after the user was asked about it, and said yes.
    presets: () => presetFacts({ trustUnknownModel: true }),
    stored: storedModels,
    delete: deleteStoredModel,
    forgetGpuChecks,
  });
});
