import { checkAgainst, checkEmbedding, checkEmbeddingWindows } from '../src/compare/modelCheck';
import { withSegments } from '../src/compare/windowCheck';
import type { Embedder } from '../src/embedding/embedder';
import type { EmbeddingWorkerApi } from './contracts';
import { moved, serve } from './protocol';
import { openEmbedding, type EmbeddingModel } from './model';

let model: EmbeddingModel;

serve<EmbeddingWorkerApi>({
  async load(request, onDownload) {
    model = await openEmbedding(request, onDownload);
    return model.reply;
  },
  selfCheck(goldensBase) {
    const { embedder, manifest, reply, isInt16 } = model;
    // Without golden outputs, only a GPU has a reference.
    if (reply.hasGoldens || !model.gpu) return checkEmbedding(embedder, model, goldensBase, isInt16 ? withSegments : undefined);
    return withReference((reference) => checkAgainst(reference, embedder, manifest));
  },
  selfCheckWindows: (sizes) => withReference((reference) => checkEmbeddingWindows(reference, model.embedder, model.manifest, sizes)),
  async embed(windows, activity, sizes) {
    const reply = await model.embedder.embed({ windows, activity, ...sizes });
    return moved(reply, reply.embeddings);
  },
});

/** Runs `use` with the same file on WASM, and releases that session afterward. */
async function withReference<Result>(use: (reference: Embedder) => Promise<Result>): Promise<Result> {
  const reference = await model.openReference();
  try {
    return await use(reference);
  } finally {
    await reference.close();
  }
}
