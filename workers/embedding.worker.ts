import { embed } from '../src/embedding/embed';
import { Fbank } from '../src/fbank/fbank';
import { openGraph, type Graph } from '../src/ort/graph';
import { loadModel } from '../src/store/load';
import type { EmbeddingManifest } from '../src/store/manifest';
import type { EmbeddingWorkerApi } from './contracts';
import { moved, serve, timed } from './expose';

let graph: Graph;
let manifest: EmbeddingManifest;
let fbank: Fbank;

serve<EmbeddingWorkerApi>({
  async load({ modelId, modelsBase, ...options }) {
    const model = await loadModel('embedding', modelId, modelsBase);
    manifest = model.manifest;
    fbank = new Fbank(manifest.fbank, manifest.sampleRate);
    graph = await openGraph(model.bytes, manifest, options);
    return { manifest, adapter: graph.adapter };
  },
  async embed(window, activity, numSpeakers) {
    const [features, fbankSeconds] = await timed(() => fbank.compute(window));
    const input = { features, activity, numSpeakers, windowSamples: window.length };
    const [embeddings, embeddingSeconds] = await timed(() => embed(graph, manifest, input));
    return moved({ embeddings, fbankSeconds, embeddingSeconds }, embeddings);
  },
});
