import { throwIfAborted } from '../util/abort';
import { type Engine, hasEnded } from './engine';
import type { EngineSource } from './engineLifetime';
import type { CheckedDiarizerOptions } from './options';
import { checkAgain, describeFailure, isGpuTrouble, startOnWasm, startTrustedEngine } from './selfCheck';
import type { PipelineSettings } from './settings';

/** Parameters of an engine start. */
export interface EngineSetup {
  readonly options: CheckedDiarizerOptions;
  readonly settings: PipelineSettings;
}

/**
 * The engines of pipelines with windows. If the results of a GPU look wrong, it is checked again. A GPU that passes gets one
 * more try. Otherwise the run starts again on WASM, because no result of a faulty GPU can be kept.
 *
 * @param setup called before each start
 */
export function windowedSource(setup: () => EngineSetup | Promise<EngineSetup>): EngineSource<Engine> {
  return {
    hasEnded,
    async start(signal) {
      const { options, settings } = await setup();
      return startTrustedEngine(options, settings, signal);
    },
    async recover(engine, { error, attempt, end }, signal) {
      if (engine.backend.name !== 'webgpu' || !isGpuTrouble(error)) return null;
      const { options, settings } = await setup();
      const checks = error.code === 'gpu-wrong' ? await checkAgain(engine, options).catch(() => null) : null;
      throwIfAborted(signal);
      const passed = checks?.every((check) => check.passed) ?? false;
      if (passed && attempt === 0) return engine;
      const why = passed || !checks ? `WebGPU failed in mid-run (${error.problem})` : describeFailure(checks);
      end();
      return startOnWasm(options, settings, why, checks, signal);
    },
  };
}
