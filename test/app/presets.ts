import type { PresetInfo } from '../../src/engine/presets';
import type { StoredFileInfo } from '../../src/engine/storedFiles';

/** Facts for tests of the page. */
export const presetsWith = (isPresent: boolean): readonly PresetInfo[] => [
  { id: 'campplus', model: 'campplus-zh-en', bytes: 0, license: 'Apache-2.0', attribution: 'One', present: true, receivedBytes: 0 },
  {
    id: 'community-1',
    model: 'wespeaker',
    bytes: 100,
    license: 'CC-BY-4.0',
    attribution: 'Another',
    present: isPresent,
    receivedBytes: 0,
  },
  { id: 'nemotron', model: 'nemotron-3', bytes: 400, license: 'OpenMDW-1.1', attribution: 'A third', present: isPresent, receivedBytes: 0 },
];

export const STORED: StoredFileInfo = {
  id: 'wespeaker',
  file: 'wespeaker.onnx',
  bytes: 100,
  license: 'CC-BY-4.0',
  storedAt: 0,
  isSpare: false,
};
