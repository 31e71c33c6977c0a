/** What parity.spec.ts leaves out, because a software adapter takes a minute and a half for it. */
import { testParity } from './support/parity';

testParity('campplus-zh-en', 'webgpu');
