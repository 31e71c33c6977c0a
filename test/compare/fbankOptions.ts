import { parseManifest } from '../../src/store/manifest';
import manifest from '../../models/campplus-zh-en/manifest.json';

/** Options of the model whose features are in the goldens. */
export const { fbank: FACTS, sampleRate: SAMPLE_RATE } = parseManifest('embedding', manifest, 'campplus-zh-en');
