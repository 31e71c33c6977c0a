import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { copyWith } from '../../src/onnx/nodes';
import { encodeOnnx, parseOnnx, type ModelProto } from '../../src/onnx/model';
import { StringStringEntryProtoSchema } from '../../src/onnx/onnx_pb';
import { parseManifest, type EmbeddingManifest, type SegmentationManifest } from '../../src/store/manifest';

const MODELS = new URL('../../models/', import.meta.url);

/** Our models as sherpa-onnx takes them: paths of copies that carry its metadata. */
export interface SherpaModels {
  readonly segmentation: string;
  readonly embedding: string;
  readonly sampleRate: number;
  /** Distance between the starts of two windows, as a share of a window. */
  readonly windowShiftRatio: number;
}

/**
 * Writes copies of our models that differ from them in their metadata alone: nodes and weights are the same bytes.
 *
 * @param folder that the copies are written to
 */
export function writeSherpaModels(segmentationId: string, embeddingId: string, folder: string): SherpaModels {
  const segmentation = parseManifest('segmentation', readManifest(segmentationId), segmentationId);
  const embedding = parseManifest('embedding', readManifest(embeddingId), embeddingId);
  const write = (id: string, file: string, metadata: Readonly<Record<string, string>>): string => {
    const path = join(folder, `${id}.onnx`);
    const model = parseOnnx(readFileSync(new URL(`${id}/${file}`, MODELS)), id);
    writeFileSync(path, encodeOnnx(withMetadata(model, metadata)));
    return path;
  };
  return {
    segmentation: write(segmentationId, segmentation.file.name, segmentationMetadata(segmentation)),
    embedding: write(embeddingId, embedding.file.name, embeddingMetadata(embedding)),
    sampleRate: segmentation.sampleRate,
    windowShiftRatio: segmentation.hopSamples / segmentation.windowSamples,
  };
}

/** The keys that sherpa-onnx 1.13 reads in `offline-speaker-segmentation-pyannote-model.cc`; without one of them it ends. */
export function segmentationMetadata(manifest: SegmentationManifest): Record<string, string> {
  const { sampleRate, windowSamples, receptiveField, powerset } = manifest;
  return texts({
    sample_rate: sampleRate,
    window_size: windowSamples,
    receptive_field_size: receptiveField.durationSamples,
    receptive_field_shift: receptiveField.stepSamples,
    num_speakers: powerset.numSpeakers,
    powerset_max_classes: powerset.maxSetSize,
    num_classes: powerset.mapping.length,
  });
}

/**
 * The keys that sherpa-onnx 1.13 reads in `speaker-embedding-extractor-model.cc`.
 *
 * The rest of its filterbank is fixed: a Povey window of 25 ms each 10 ms and 80 bins, as CAM++'s, but up to 7.6 kHz in
 * place of 8, and with mirrored edges.
 *
 * @throws Error for a filterbank that the metadata cannot say
 */
export function embeddingMetadata({ id, fbank, sampleRate, embeddingSize }: EmbeddingManifest): Record<string, string> {
  const { sampleScale, subtractMean, windowType } = fbank;
  if (windowType !== 'povey' || (sampleScale !== 1 && sampleScale !== 32_768)) {
    throw new Error(`${id} wants a ${windowType} window and samples times ${sampleScale}, which sherpa-onnx cannot be told.`);
  }
  return texts({
    // Asked for, and either this or `wespeaker`; both are run in the same way.
    framework: '3d-speaker',
    language: 'Chinese-English',
    sample_rate: sampleRate,
    output_dim: embeddingSize,
    // True where the filterbank takes samples as they are, in [-1, 1]; else it multiplies them by 32768.
    normalize_samples: Number(sampleScale === 1),
    feature_normalize_type: subtractMean ? 'global-mean' : '',
  });
}

/** The model with these entries as its only metadata. */
export function withMetadata(model: ModelProto, metadata: Readonly<Record<string, string>>): ModelProto {
  const metadataProps = Object.entries(metadata).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  return copyWith(model, { metadataProps });
}

function readManifest(id: string): unknown {
  return JSON.parse(readFileSync(new URL(`${id}/manifest.json`, MODELS), 'utf8'));
}

const texts = (facts: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)]));
