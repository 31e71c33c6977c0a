import type { PresetFacts, StoredModelFacts } from '../../src/engine/presets';

/** Facts for tests of the page. */
export const presetsWith = (isPresent: boolean): readonly PresetFacts[] => [
  { id: 'campplus', model: 'campplus-zh-en', bytes: 0, licence: 'Apache-2.0', attribution: 'One', present: true },
  {
    id: 'community-1',
    model: 'wespeaker',
    bytes: 100,
    licence: 'CC-BY-4.0',
    attribution: 'Another',
    present: isPresent,
  },
];

export const STORED: StoredModelFacts = {
  id: 'wespeaker',
  file: 'wespeaker.onnx',
  bytes: 100,
  licence: 'CC-BY-4.0',
  storedAt: 0,
};
