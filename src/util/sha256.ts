// A module of its own, so that an import at run time brings SHA-256 without the other hashes of the package.
export { sha256 } from '@noble/hashes/sha2.js';
