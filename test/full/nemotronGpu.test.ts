/** The network of Nemotron 3 Diarization with four layers in ONNX Runtime on WebGPU, on Dawn in Node. */
import {  } from 'vitest';
import { type GpuContext, openGpu } from '../../src/gpu/context';
import { openSession } from '../../src/ort/session';
import type { OpenPart } from '../../src/sortformer/graphNetwork';
import { installDawn, RUNTIME_BASE } from '../gpu/dawn';
import { sortformerNetworkTests, openSeeded } from '../sortformerNetworkTests';
import { describeUnless } from '../skips';

const missing = await installDawn();

let gpu: Promise<GpuContext> | undefined;

describeUnless(missing)('on Dawn', () => {
  const open: OpenPart = async (bytes, externalData) => {
    gpu ??= openGpu();
    return openSession(bytes, { runtimeBase: RUNTIME_BASE, threads: 1, gpu: await gpu, externalData });
  };
  sortformerNetworkTests(4, (numLayers, options) => openSeeded(numLayers, { open, ...options }));
});
