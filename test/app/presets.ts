import type { PresetInfo, StoredModelInfo } from '../../src/engine/presets';

/** Facts for tests of the page. */
export const presetsWith = (isPresent: boolean): readonly PresetInfo[] => [
  { id: 'campplus', model: 'campplus-zh-en', bytes: 0, license: 'Apache-2.0', attribution: 'One', present: true },
  {
    id: 'community-1',
    model: 'wespeaker',
    bytes: 100,
    license: 'CC-BY-4.0',
    attribution: 'Another',
    present: isPresent,
  },
];

export const STORED: StoredModelInfo = {
  id: 'wespeaker',
  file: 'wespeaker.onnx',
  bytes: 100,
  license: 'CC-BY-4.0',
  storedAt: 0,
};
