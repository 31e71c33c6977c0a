import { parseManifest } from '../../src/store/manifest';
import manifest from '../../models/campplus-zh-en/manifest.json';

/** Of the model whose features the goldens hold. */
export const { fbank: FACTS, sampleRate: SAMPLE_RATE } = parseManifest('embedding', manifest, 'campplus-zh-en');
