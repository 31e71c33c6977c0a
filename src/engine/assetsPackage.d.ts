/** The package of the large files, which scripts/package/assets.ts makes. */
declare module 'voxlane-assets' {
  import type { FileBases } from './defaultFiles';
  export const files: FileBases;
}
