/**
 * Measures Nemotron 3 Diarization with seeded weights on WASM, in offline mode.
 *
 *   tsx bench/check/nemotronProcess.ts write FORM FILE             writes the seeded weights as float32 or int8
 *   tsx bench/check/nemotronProcess.ts run FORM FILE SECONDS       runs the sample, repeated, and prints the figures as JSON
 *   tsx bench/check/nemotronProcess.ts parts FILE SECONDS PARTS    runs varied speech with int8 weights, and prints the figures of
 *                                                                  each of PARTS equal parts as a line of JSON
 *
 * Two processes, so the memory of the conversion does not count.
 */
import { openAsBlob } from 'node:fs';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import nemotron from '../../models/nemotron-3-diarization/manifest.json';
import { readWav } from '../../src/audio/wav';
import { readWavHeader } from '../../src/audio/wavHeader';
import { openSession } from '../../src/ort/session';
import { GraphNetwork } from '../../src/sortformer/graphNetwork';
import { cpuFrontEnd } from '../../src/sortformer/melFrontEnd';
import { stream } from '../../src/sortformer/speakerStream';
import type { ByteSink } from '../../src/store/byteSink';
import { blobSource } from '../../src/store/byteSource';
import { parseStreamingSettings } from '../../src/store/streamingSettings';
import { concatenate } from '../../src/util/values';
import { bindWeights, loadWeights } from '../../src/weights/bind';
import { convertWeights, type WeightsForm } from '../../src/weights/convert';
import { expectedWeights } from '../../src/weights/expected';
import { graphInForm } from '../../src/weights/graphForm';
import { openSafetensors } from '../../src/weights/safetensors';
import { RUNTIME_BASE } from '../../test/gpu/dawn';
import { variedSpeech } from '../../test/nemotron/variedSpeech';
import { NEMOTRON, nemotronGraph, seededNemotronFile } from '../../test/seededNemotron';

export interface NemotronFigures {
  /** Of the recording. */
  readonly audioSeconds: number;
  readonly wallSeconds: number;
  /** Processor time of all threads of the process, without loading. */
  readonly cpuSeconds: number;
  /** The same of the encoder and head alone. */
  readonly networkCpuSeconds: number;
  /** Greatest resident memory of the process, with the code of Node. */
  readonly peakMegabytes: number;
  /** Size of the runtime's memory, which never shrinks. */
  readonly wasmMegabytes: number;
}

const THREADS = 2;
/** The runtime's build for Node, because its build for browsers has one thread there. Both use the same WASM file. */
const RUNTIME = {
  'ort.wasm.min.mjs': `${RUNTIME_BASE}ort.node.min.mjs`,
  'ort-wasm-simd-threaded.mjs': `${RUNTIME_BASE}ort-wasm-simd-threaded.mjs`,
  'ort-wasm-simd-threaded.wasm': `${RUNTIME_BASE}ort-wasm-simd-threaded.wasm`,
};
const SAMPLE = 'public/sample.wav';
const SAMPLE_SECONDS = 30;

async function write(form: WeightsForm, path: string): Promise<void> {
  await rm(path, { force: true });
  const original = await openSafetensors(blobSource(new Blob([seededNemotronFile()]), 'seeded.safetensors'));
  const sink: ByteSink = {
    write: (bytes) => appendFile(path, bytes),
    finish: () => Promise.resolve(),
    discard: () => rm(path, { force: true }),
  };
  await convertWeights(bindWeights(original, expectedWeights(nemotronGraph())), form, '0'.repeat(64), sink);
}

/** Figures of one of several equal parts of a long recording, at its end. */
export interface PartFigures {
  /** From the start of the recording to the end of the part. */
  readonly audioSeconds: number;
  /** Of this part. */
  readonly wallSeconds: number;
  /** Processor time of all threads of the process in this part. */
  readonly cpuSeconds: number;
  /** Resident memory of the process after a collection of garbage. */
  readonly residentMegabytes: number;
  /** Memory in use by objects and arrays, after a collection of garbage. */
  readonly usedMegabytes: number;
  /** Size of the runtime's memory. */
  readonly wasmMegabytes: number;
}

/** Samples of the recording, again and again. */
async function* repeated(seconds: number): AsyncGenerator<Float32Array, void> {
  const file = new Blob([await readFile(SAMPLE)]);
  const header = await readWavHeader(file);
  let left = Math.round(seconds * header.sampleRate);
  while (left > 0) {
    for await (const { channels: [samples] } of readWav(file, header, 0, Math.min(left, header.heldFrames))) {
      yield samples!;
      left -= samples!.length;
    }
  }
}

const cpuSeconds = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

/** Keeps the memories that the runtime creates, for their sizes. */
function recordMemories(): readonly WebAssembly.Memory[] {
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return memories;
}

async function openNetwork(form: WeightsForm, path: string): Promise<GraphNetwork> {
  const model = graphInForm(nemotronGraph(), form);
  const file = await openSafetensors(blobSource(await openAsBlob(path), path));
  return GraphNetwork.open({
    model,
    weights: await loadWeights(bindWeights(file, expectedWeights(model))),
    manifest: NEMOTRON,
    open: (bytes, externalData) => openSession(bytes, { runtimeBase: RUNTIME, threads: THREADS, gpu: null, externalData }),
  });
}

const megabytesOf = (memories: readonly WebAssembly.Memory[]): number => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) / 1e6;

async function run(form: WeightsForm, path: string, seconds: number): Promise<NemotronFigures> {
  const memories = recordMemories();
  const network = await openNetwork(form, path);
  let networkCpuSeconds = 0;
  const timed = {
    numMelBins: network.numMelBins,
    silence: network.silence,
    embed: network.embed.bind(network),
    logits: async (input: Parameters<GraphNetwork['logits']>[0]) => {
      const before = process.cpuUsage();
      const logits = await network.logits(input);
      networkCpuSeconds += cpuSeconds(before);
      return logits;
    },
  };
  const before = process.cpuUsage();
  const start = performance.now();
  const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);
  let numFrames = 0;
  for await (const decided of stream('samples', repeated(seconds), { network: timed, settings, mode: 'offline', frontEnd: cpuFrontEnd(NEMOTRON) })) {
    numFrames += decided.numFrames;
  }
  const wallSeconds = (performance.now() - start) / 1000;
  const figures = {
    audioSeconds: (numFrames * NEMOTRON.fbank.frameShiftMs) / 1000,
    wallSeconds,
    cpuSeconds: cpuSeconds(before),
    networkCpuSeconds,
    peakMegabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
    wasmMegabytes: megabytesOf(memories),
  };
  await network.release();
  return figures;
}

/** Varied repetitions of the sample. */
async function* longSpeech(seconds: number): AsyncGenerator<Float32Array, void> {
  const pieces: Float32Array[] = [];
  for await (const piece of repeated(SAMPLE_SECONDS)) pieces.push(piece.slice());
  const recording = concatenate(pieces);
  const { sampleRate } = NEMOTRON;
  for (let block = 0, left = Math.round(seconds * sampleRate); left > 0; block++) {
    const samples = variedSpeech(recording, block).subarray(0, left);
    left -= samples.length;
    // About the length of a decoder's pieces.
    for (let at = 0; at < samples.length; at += sampleRate) yield samples.subarray(at, at + sampleRate);
  }
}

/** Without turns: random weights change about 180 decisions per second, and real speech has far fewer turns. */
async function runParts(path: string, seconds: number, numParts: number): Promise<void> {
  const collectGarbage = garbageCollector();
  const memories = recordMemories();
  const network = await openNetwork('int8', path);
  const settings = parseStreamingSettings(nemotron.streaming, NEMOTRON.id);
  const { frameShiftMs } = NEMOTRON.fbank;
  let numFrames = 0;
  let part = 1;
  let [wallStart, cpuStart] = [performance.now(), process.cpuUsage()];
  for await (const decided of stream('samples', longSpeech(seconds), { network, settings, mode: 'offline', frontEnd: cpuFrontEnd(NEMOTRON) })) {
    numFrames += decided.numFrames;
    const audioSeconds = (numFrames * frameShiftMs) / 1000;
    if (audioSeconds < (part * seconds) / numParts - frameShiftMs / 1000) continue;
    const [wallSeconds, ofCpu] = [(performance.now() - wallStart) / 1000, cpuSeconds(cpuStart)];
    collectGarbage();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const figures: PartFigures = {
      audioSeconds,
      wallSeconds,
      cpuSeconds: ofCpu,
      residentMegabytes: rss / 1e6,
      usedMegabytes: (heapUsed + arrayBuffers) / 1e6,
      wasmMegabytes: megabytesOf(memories),
    };
    console.log(JSON.stringify(figures));
    // A step can end after more than one part.
    part = Math.floor((audioSeconds / seconds) * numParts) + 1;
    [wallStart, cpuStart] = [performance.now(), process.cpuUsage()];
  }
  await network.release();
}

/** Collects garbage twice, because the memory of typed arrays is released after their objects, by the next collection. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    collect();
  };
}

const [command, kind, path, seconds] = process.argv.slice(2) as [string, string, string, string];
if (command === 'write') await write(kind as WeightsForm, path);
else if (command === 'parts') await runParts(kind, Number(path), Number(seconds));
else console.log(JSON.stringify(await run(kind as WeightsForm, path, Number(seconds))));
// The runtime's threads would keep the process alive.
process.exit(0);
