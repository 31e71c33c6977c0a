import { proveAgainst, proveEmbedding } from '../src/compare/prove';
import type { EmbeddingWorkerApi } from './contracts';
import { serve } from './expose';
import { openEmbedding, type EmbeddingModel } from './model';
import { moved } from './moved';

let model: EmbeddingModel;

serve<EmbeddingWorkerApi>({
  async load(request, onDownload) {
    model = await openEmbedding(request, onDownload);
    return model.reply;
  },
  async prove(goldensBase) {
    const { embedder, manifest, openReference } = model;
    if (openReference) return proveAgainst(await openReference(), embedder, manifest);
    return proveEmbedding(embedder, manifest, goldensBase);
  },
  gpuCounts: () => Promise.resolve(model.gpu?.meter.counts() ?? {}),
  async embed(windows, activity, sizes) {
    const reply = await model.embedder.embed({ windows, activity, ...sizes });
    return moved(reply, reply.embeddings);
  },
});
