/** @type {import('next').NextConfig} */
export default {
  // Only for pages and routes that call the library on the server: it starts workers from its own files.
  serverExternalPackages: ['voxlane', 'voxlane-assets'],
};
