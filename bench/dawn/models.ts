import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CampplusGraph, readCampplus } from '../../src/embedding/campplusGraph';
import { readResnet, type ResnetGraph } from '../../src/embedding/resnetGraph';
import { parseOnnx, type ModelProto } from '../../src/onnx/model';
import { splitAtPooling } from '../../src/onnx/pooled';
import { type PyannetGraph, readPyannet } from '../../src/segmentation/pyannetGraph';
import { type EmbeddingManifest, parseManifest, type SegmentationManifest } from '../../src/store/manifest';
import { seededResnet34 } from '../../test/seededModel';
import { campplusWork, pyannetWork, resnetWork } from './layers';

/** Both bundled networks, with the work of their layers. */
export interface Models {
  readonly segmentation: { readonly manifest: SegmentationManifest; readonly graph: PyannetGraph; readonly work: ReturnType<typeof pyannetWork> };
  readonly embedding: { readonly manifest: EmbeddingManifest; readonly graph: CampplusGraph; readonly work: ReturnType<typeof campplusWork> };
}

/** @param folder contains `<model id>/manifest.json` @throws VoxlaneError `model-invalid` */
export function readModels(folder: string): Models {
  const manifestOf = (id: string): unknown => JSON.parse(readFileSync(join(folder, id, 'manifest.json'), 'utf8'));
  const modelOf = ({ id, file }: SegmentationManifest | EmbeddingManifest): ModelProto => parseOnnx(readFileSync(join(folder, id, file.name)), id);
  const segmentation = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
  const embedding = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');
  const pyannet = readPyannet(modelOf(segmentation), { input: segmentation.input.name, output: segmentation.output.name });
  const campplus = readCampplus(modelOf(embedding), { input: embedding.input.name, output: embedding.output.name });
  return {
    segmentation: { manifest: segmentation, graph: pyannet, work: pyannetWork(pyannet) },
    embedding: { manifest: embedding, graph: campplus, work: campplusWork(campplus, embedding.fbank.numMelBins) },
  };
}

/** ResNet34 without its weights, with the work of its layers. */
export interface Resnet {
  readonly manifest: EmbeddingManifest;
  readonly graph: ResnetGraph;
  readonly work: ReturnType<typeof resnetWork>;
}

/**
 * Reads the graph of ResNet34 with seeded weights: the public weights are not part of the repository, and the work does not depend on them.
 *
 * @param folder as in {@link readModels}
 * @param skeletonFolder contains `wespeaker.onnx` without weights
 */
export function readResnetModel(folder: string, skeletonFolder: string): Resnet {
  const id = 'wespeaker-resnet34-lm';
  const manifest = parseManifest('embedding', JSON.parse(readFileSync(join(folder, id, 'manifest.json'), 'utf8')), id);
  const network = splitAtPooling(parseOnnx(seededResnet34('wespeaker', skeletonFolder), id));
  const graph = readResnet(network);
  return { manifest, graph, work: resnetWork(graph, network.head, manifest.fbank.numMelBins) };
}
