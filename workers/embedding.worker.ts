import { proveEmbedding } from '../src/compare/prove';
import type { Embedder } from '../src/embedding/embedder';
import { CpuEmbedder } from '../src/embedding/cpuEmbedder';
import { GpuEmbedder } from '../src/embedding/gpuEmbedder';
import { FaultInjector } from '../src/gpu/faults';
import type { EmbeddingManifest } from '../src/store/manifest';
import type { EmbeddingWorkerApi } from './contracts';
import { serve } from './expose';
import { openModel, type WorkerModel } from './model';
import { moved } from './moved';

let model: WorkerModel<EmbeddingManifest>;
let embedder: Embedder;

serve<EmbeddingWorkerApi>({
  async load(request) {
    model = await openModel('embedding', request);
    const { graph, manifest, gpu } = model;
    embedder = gpu
      ? await GpuEmbedder.create(gpu, graph, manifest, new FaultInjector(request.simulateFault, 'fbank'))
      : new CpuEmbedder(graph, manifest);
    return model.reply;
  },
  prove: (goldensBase) => proveEmbedding(embedder, model.manifest, goldensBase),
  gpuCounts: () => Promise.resolve(model.gpu?.meter.counts() ?? {}),
  async embed(windows, activity, sizes) {
    const reply = await embedder.embed({ windows, activity, ...sizes });
    return moved(reply, reply.embeddings);
  },
});
