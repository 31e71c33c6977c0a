/**
 * Profiles the models: time of each stage, operator and node, or the workload of a recording.
 *
 *   npm run --silent bench:profile -- [--model NAME|FILE.onnx] [--backend wasm|webgpu] [--work FILE] [--json]
 *
 * See `--help` for details.
 */
import { existsSync, readFileSync } from 'node:fs';
import { openEnginePage, type EnginePage } from '../cli/enginePage';
import { runCommand } from '../cli/script';
import type { RunCounts } from '../cli/page/engineProfile';
import { parseOnnx } from '../src/onnx/model';
import {
  type EmbeddingManifest,
  isShipped,
  parseManifest,
  type SegmentationManifest,
  SHIPPED_MODELS,
} from '../src/store/manifest';
import { meterGpu, takeGpuCounts } from '../test/browser/gpuMeter';
import { machine } from './figures';
import { readTrace, type Trace } from './profile/events';
import { outputStages, stagesOf, type GraphStage } from './profile/groups';
import { HELP, parseCommand, type ProfileCommand } from './profile/options';
import { printDemands, printProfile, profileOf, type ModelProfile } from './profile/report';
import { COUNTED_FRAMES, demandsOf, fbankFlopsPerFrame, modelFlops } from './profile/work';

const WARM_UPS = 1;
/** All mel frames of a window. */
const WINDOW_FRAMES = 998;

type Page = EnginePage['page'];

interface ModelFile {
  readonly path: string;
  readonly stages: readonly GraphStage[] | null;
  /** Default for dynamic axes. */
  readonly openSize: number | null;
}

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2));
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  check(command);
  const engine = await openEnginePage(command.backend, (line) => process.stderr.write(`${line}\n`));
  try {
    if (command.work === null) await profileModels(engine.page, command);
    else await countWork(engine.page, command.work, command);
    return 0;
  } finally {
    await engine.close();
  }
}

/** Checks the command before a browser starts. @throws Error for a command that cannot run */
function check({ models, shape, openSize, work }: ProfileCommand): void {
  if (work !== null && !existsSync(work)) throw new Error(`${work} does not exist.`);
  for (const model of models) {
    const { openSize: own } = modelFile(model);
    if ((openSize ?? shape ?? own) === null) throw new Error(`${model} needs --frames or --shape.`);
  }
}

async function profileModels(page: Page, command: ProfileCommand): Promise<void> {
  const profiles: ModelProfile[] = [];
  if (!command.json) console.log(machine());
  for (const model of command.models) {
    const profile = await profileModel(page, model, command);
    profiles.push(profile);
    if (!command.json) printProfile(profile, command.top);
  }
  if (command.json) console.log(JSON.stringify({ machine: machine(), profiles }, null, 2));
}

async function profileModel(page: Page, name: string, command: ProfileCommand): Promise<ModelProfile> {
  const { backend, threads, shape, runs } = command;
  const file = modelFile(name);
  const openSize = command.openSize ?? file.openSize;
  const run = await profileFile(page, file.path, { backend, threads, shape, openSize: openSize ?? 1, numRuns: WARM_UPS + runs });
  const model = parseOnnx(readFileSync(file.path), name);
  const { nodes, runMs } = run.trace;
  if (backend === 'webgpu' && !run.hasKernelTimes) process.stderr.write('the adapter has no timestamps: times are those of command recording\n');
  const place = run.adapter === null ? `WASM, ${threads} thread${threads === 1 ? '' : 's'}` : `WebGPU, ${run.adapter}`;
  const facts = { model: name, place, shape: run.shape, onGpu: run.hasKernelTimes, runMs, numRuns: runs };
  const stages = file.stages ?? outputStages(model);
  return profileOf(facts, nodes, stagesOf(nodes, model, stages), stages.map((stage) => stage.name));
}

interface FileProfile {
  readonly shape: readonly number[];
  readonly adapter: string | null;
  readonly hasKernelTimes: boolean;
  readonly trace: Trace;
}

type ProfileRequest = Parameters<typeof voxlane.profileFile>[1];

async function profileFile(page: Page, path: string, request: ProfileRequest, warmUps = WARM_UPS): Promise<FileProfile> {
  await page.setInputFiles('#file', path);
  const { lines, ...facts } = await page.evaluate((asked) => voxlane.profileFile(voxlane.chosenFile(), asked), request);
  return { ...facts, trace: readTrace(lines, warmUps) };
}

/** Diarizes the recording and prints the workload of its stages. */
async function countWork(page: Page, recording: string, { backend, threads, seconds, speed, json }: ProfileCommand): Promise<void> {
  const [segmentation, embedding] = [modelFile('segmentation-3.0'), modelFile('campplus-zh-en')];
  const counted = async ({ path }: ModelFile, size: number) => {
    const request = { backend: 'wasm', threads, shape: null, openSize: size, numRuns: 1 } as const;
    return { size, nodes: (await profileFile(page, path, request, 0)).trace.nodes };
  };
  const { windowSamples } = manifestOf('segmentation-3.0') as SegmentationManifest;
  const window = await counted(segmentation, windowSamples);
  const voices = [];
  for (const size of COUNTED_FRAMES) voices.push(await counted(embedding, size));
  const { fbank, sampleRate } = manifestOf('campplus-zh-en') as EmbeddingManifest;

  await page.setInputFiles('#file', recording);
  const options = { backend, speed, trustGpu: backend === 'webgpu' };
  await meterGpu(page);
  const counts: RunCounts = await page.evaluate(
    ([asked, segment]) => voxlane.countRun(voxlane.chosenFile(), asked, segment),
    [options, seconds === null ? {} : { durationSeconds: seconds }] as const,
  );
  const { name, adapter, threads: cores } = counts.backend;
  const gpu = name === 'webgpu' ? await takeGpuCounts(page) : null;
  const perFrame = fbankFlopsPerFrame(fbank, sampleRate);
  const flops = { segmentation: modelFlops([window]), fbank: (numFrames: number) => numFrames * perFrame, embedding: modelFlops(voices) };
  const demands = demandsOf(counts, flops, gpu);
  const place = name === 'webgpu' ? `WebGPU, ${adapter ?? ''}` : `WASM, ${cores} threads`;
  if (json) console.log(JSON.stringify({ machine: machine(), ...counts, gpu, perSecond: demands }, null, 2));
  else printDemands(recording, place, counts.durationSeconds, demands);
}

/** @throws Error if the file does not exist */
function modelFile(name: string): ModelFile {
  if (!isShipped(name)) {
    if (!existsSync(name)) throw new Error(`${name} does not exist and is not a bundled model.`);
    return { path: name, stages: null, openSize: null };
  }
  const manifest = manifestOf(name);
  const stages = manifest.stages.flatMap(({ name: stage, value }) => (value === null ? [] : [{ name: stage, value }]));
  const openSize = manifest.task === 'segmentation' ? manifest.windowSamples : WINDOW_FRAMES;
  return { path: `models/${name}/${manifest.file.name}`, stages, openSize };
}

function manifestOf(name: keyof typeof SHIPPED_MODELS): SegmentationManifest | EmbeddingManifest {
  const path = `models/${name}/manifest.json`;
  return parseManifest(SHIPPED_MODELS[name], JSON.parse(readFileSync(path, 'utf8')), path);
}

await runCommand('bench:profile', 1, main);
