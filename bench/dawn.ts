/**
 * Measures the WebGPU kernels in Node, without a browser: time, dispatches and rates of each stage, and parity with WASM.
 *
 *   npm run --silent bench:gpu -- [--minutes LIST | --seconds LIST] [--speed LIST] [--trust-gpu | --estimate] [--json]
 *   npm run --silent bench:gpu -- --pair [--windows N] [--rounds N] [--json]
 *
 * `--help` describes the measurements. `scripts/packGpuBench.ts` packs it for a machine without the repository.
 */
import { readFileSync } from 'node:fs';
import { say } from '../cli/output';
import { runCommand } from '../cli/script';
import { CAMPPLUS, COMMUNITY_1 } from '../src/engine/settings';
import { adapterFacts, measurePeak, openAdapter } from './dawn/adapter';
import { numFitting } from './dawn/audio';
import { atSpeed, campplusEmbedding, CLASSES, estimate, type Estimate, repeated, resnetEmbedding } from './dawn/estimate';
import { measureSpeed, type ParityFigures, type RunFigures, runOnWasm, startMeter } from './dawn/measure';
import { readModels, readResnetModel } from './dawn/models';
import { checkWindows, type DawnCommand, helpOf, parseCommand } from './dawn/options';
import { type BatchTime, byStage, measurePair, type PairReport, pairText, ratiosOf } from './dawn/pair';
import { loadEngine, loadPair, meterAddress, modelsFolder, pairFolders, PROGRAM, samplePath, skeletonFolder } from './dawn/place';
import { estimateText, type Report, reportText } from './dawn/report';
import { pooledWorkloadOf, workloadOf } from './dawn/workload';
import { machine } from './figures';

/** Period of the sample, which is a multiple of the hop. */
const SAMPLE_SECONDS = 30;

async function main(): Promise<number> {
  const command = parseCommand(process.argv.slice(2), PROGRAM);
  if (command === 'help') {
    process.stdout.write(helpOf(PROGRAM));
    return 0;
  }
  if (command.pair) {
    const report = await pairAll(command.pair);
    console.log(command.json ? JSON.stringify(report, null, 2) : pairText(report));
  } else if (command.estimate) {
    const estimates = await estimateAll(command);
    console.log(command.json ? JSON.stringify({ estimates }, null, 2) : estimateText(estimates));
  } else {
    const report = await measureAll(command);
    console.log(command.json ? JSON.stringify(report, null, 2) : reportText(report));
  }
  return 0;
}

async function measureAll({ seconds, speeds, trustGpu }: DawnCommand): Promise<Report> {
  const adapter = await openAdapter();
  const facts = adapterFacts(adapter);
  say('measuring the peak rate …');
  const peak = await measurePeak(adapter);
  // The product refuses software adapters, and would check them for minutes.
  if (facts.isSoftware) process.env.VOXLANE_SOFTWARE_GPU = '1';
  const library = await loadEngine(say);
  const counts = startMeter(await meterAddress());
  const setup = { library, models: readModels(modelsFolder()), sample: readFileSync(samplePath()), trustGpu: trustGpu || facts.isSoftware, say };
  const runs: RunFigures[] = [];
  let parity: ParityFigures | null = null;
  for (const speed of speeds) {
    const measured = await measureSpeed(setup, counts, speed, seconds, speed === speeds.at(-1));
    runs.push(...measured.runs);
    parity = measured.parity;
  }
  return { machine: machine(), node: process.versions.node, adapter: facts, peak, runs, parity };
}

async function pairAll({ numWindows, numRounds }: NonNullable<DawnCommand['pair']>): Promise<PairReport> {
  const sample = readFileSync(samplePath());
  checkWindows(numWindows, numFitting(sample, readModels(modelsFolder()).segmentation.manifest));
  const facts = adapterFacts(await openAdapter());
  // The product refuses software adapters.
  if (facts.isSoftware) process.env.VOXLANE_SOFTWARE_GPU = '1';
  say('opening all networks with both runtimes …');
  const { openPair } = await loadPair();
  const models = await openPair({ ...pairFolders(), skeletons: skeletonFolder(), sample, numWindows });
  const times = await measurePair(models.batches, numRounds, timed, say);
  await models.close();
  const ratios = byStage((stage) => ratiosOf(times[stage]));
  return { machine: machine(), node: process.versions.node, adapter: facts, numWindows, numEmbeddings: models.numEmbeddings, times, ratios };
}

async function timed(work: () => Promise<unknown>): Promise<BatchTime> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

async function estimateAll({ seconds, speeds }: DawnCommand): Promise<Estimate[]> {
  const models = readModels(modelsFolder());
  const { windowSamples, hopSamples, sampleRate } = models.segmentation.manifest;
  const period = (SAMPLE_SECONDS * sampleRate) / hopSamples;
  say('counting the speakers of each window on WASM …');
  const setup = { library: await loadEngine(say), sample: readFileSync(samplePath()) };
  const { voices } = await runOnWasm(setup, SAMPLE_SECONDS + windowSamples / sampleRate);
  const resnet = readResnetModel(modelsFolder(), skeletonFolder());
  const embeddings = [
    { embedding: campplusEmbedding(models.embedding), counted: workloadOf(voices, 'exact', models), hop: CAMPPLUS.fastEmbedHop },
    { embedding: resnetEmbedding(resnet), counted: pooledWorkloadOf(voices, models, resnet), hop: COMMUNITY_1.fastEmbedHop },
  ];
  return seconds.flatMap((audioSeconds) => {
    const numWindows = Math.max(1, Math.ceil((audioSeconds * sampleRate - windowSamples) / hopSamples) + 1);
    // An upper bound for `fast` with CAM++, which embeds only the core of each window.
    return embeddings.flatMap(({ embedding, counted, hop }) => {
      const whole = repeated(counted, period, numWindows);
      return CLASSES.flatMap((gpu) => speeds.map((speed) => estimate(atSpeed(whole, speed, hop), models, gpu, { speed, audioSeconds }, embedding)));
    });
  });
}

await runCommand('bench:gpu', 1, main);
