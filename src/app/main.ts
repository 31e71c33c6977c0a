import { Diarizer, forgetGpuChecks } from '../index';
import { deleteStoredModel, presetInfo } from '../engine/presets';
import { dropStoredOriginal, storedFiles } from '../engine/storedFiles';
import { mountApp } from './app';
import { startPage } from '../ui-kit/start';

startPage((root) => {
  mountApp(root, (options) => Diarizer.create(options), {
    // The user confirmed a stored file with an unknown hash.
    presets: () => presetInfo({ trustUnknownModel: true }),
    stored: storedFiles,
    // Loaded when a preset is chosen: the graph parser is large.
    describe: async (preset) => (await import('../engine/downloadFacts')).downloadFacts(preset),
    delete: deleteStoredModel,
    dropOriginal: dropStoredOriginal,
    forgetGpuChecks,
  });
});
