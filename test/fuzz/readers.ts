import { BINARY_READERS } from './binaryReaders';
import type { Reader } from './judge';
import { SOUND_READERS } from './soundReaders';
import { TEXT_READERS } from './textReaders';

/** All readers of user files. */
export const READERS: readonly Reader[] = [...SOUND_READERS, ...TEXT_READERS, ...BINARY_READERS];
