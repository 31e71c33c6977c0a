import type { Plugin } from 'vite';

/**
 * Serves model files uncompressed. The preview server would compress them for every request, because it does not know their
 * type: the embedding model takes two seconds of CPU time and shrinks by only 7 %.
 */
export function uncompressedModels(): Plugin {
  return {
    name: 'voxlane-uncompressed-models',
    configurePreviewServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        if (new URL(request.url ?? '/', 'http://localhost').pathname.endsWith('.onnx')) delete request.headers['accept-encoding'];
        next();
      });
    },
  };
}
