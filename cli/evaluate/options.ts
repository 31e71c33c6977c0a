import type { BackendChoice, ClusteringName, PresetId, Speed } from '../../src/index';
import { DIARIZER_OPTIONS } from '../../src/engine/optionSchema';
import { isWindowed, type PipelineSettings } from '../../src/engine/settings';
import { httpAddress, number, oneOf } from '../arguments';
import { refuseIdleModel, runOptions } from '../diarizeOptions';
import { ENGINE_HELP, ENGINES, type EngineName } from '../engineNames';
import { defaultCacheFolder } from './featureCache';
import { checkPreset } from '../presetChecks';
import { parseFlags, refuseIdle } from '../usage';
import type { TurnOptions } from './sources';

export const HELP = `Usage: voxlane evaluate [FOLDER…] [options]

Diarizes recordings with a reference and prints error rates per recording and in total. A FOLDER contains audio files, each
with an RTTM file of the same name beside it. Without a FOLDER, in a clone of the repository, the command evaluates the corpus in
VOXLANE_SHARED: generated conversations (requires Python with numpy, scipy and soundfile), AMI clips and captures.

  --preset campplus|community-1|nemotron
                                  models to use (default campplus); nemotron has no floor, speed or clustering
  --speed exact|fast              speed (default exact)
  --clustering preset|pyannote-3.1
                                  clustering settings (default preset)
  --speakers N                    exact number of speakers
  --min-speakers N                at least N speakers
  --max-speakers N                at most N speakers
  --min-duration-on S             minimum duration of a turn (default: set by the preset)
  --min-duration-off S            minimum gap between turns of a speaker (default: set by the preset)
  --streaming-mode MODE           mode of nemotron: offline (default), low_latency, very_low_latency or ultra_low_latency
  --set NAME=VALUE                override a number of the clustering settings, such as observationWeight=0.05;
                                  can be repeated
  --backend auto|webgpu|wasm      backend for the models (default wasm)
  --engine node|browser           ${ENGINE_HELP}
  --model FILE, --trust-model, --hub ADDRESS
                                  same as for diarize
  --peer                          also run sherpa-onnx, in a clone of the repository
  --cache DIR                     folder for features and generated conversations
                                  (default ${defaultCacheFolder()})
  --no-cache                      do not cache features
  --json                          print the figures as JSON on standard output
  --help                          print this text

DER and JER are computed without a collar and include overlapping speech. The floor is the DER of an ideal clustering, which
assigns each window's local speakers to the true speakers. In JSON, all rates are fractions of the reference's speech.

Exit status: 0 if every recording was evaluated, else 1.
`;

export interface EvaluateCommand {
  readonly folders: readonly string[];
  readonly preset: PresetId;
  readonly speed: Speed | undefined;
  readonly clustering: ClusteringName;
  readonly options: TurnOptions;
  /** Overrides for numbers of the clustering settings, by name. */
  readonly changes: Readonly<Record<string, number>>;
  readonly backend: BackendChoice;
  readonly model: string | undefined;
  readonly trustModel: boolean;
  readonly hub: string | undefined;
  readonly engine: EngineName | undefined;
  readonly hasPeer: boolean;
  readonly cache: string | null;
  readonly json: boolean;
}

/** @throws Error with a one-line message for invalid arguments */
export function parseCommand(args: readonly string[]): EvaluateCommand | 'help' {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      preset: { type: 'string', default: 'campplus' },
      speed: { type: 'string' },
      clustering: { type: 'string', default: 'preset' },
      speakers: { type: 'string' },
      'min-speakers': { type: 'string' },
      'max-speakers': { type: 'string' },
      'min-duration-on': { type: 'string' },
      'min-duration-off': { type: 'string' },
      'streaming-mode': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      backend: { type: 'string', default: 'wasm' },
      model: { type: 'string' },
      'trust-model': { type: 'boolean', default: false },
      hub: { type: 'string' },
      engine: { type: 'string' },
      peer: { type: 'boolean', default: false },
      cache: { type: 'string' },
      'no-cache': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const preset = oneOf('--preset', values.preset, ['campplus', 'community-1', 'nemotron']);
  const speed = values.speed === undefined ? undefined : oneOf('--speed', values.speed, DIARIZER_OPTIONS.speed.values);
  const clustering = oneOf('--clustering', values.clustering, DIARIZER_OPTIONS.clustering.values);
  const texts = values as Readonly<Record<string, unknown>>;
  const options = runOptions((name) => (typeof texts[name] === 'string' ? texts[name] : undefined));
  checkPreset({ preset, speed: speed ?? 'exact', clustering, trustGpu: false, options });
  const changes = Object.fromEntries(values.set.map(changeOf));
  if (!isWindowed(preset) && values.set.length > 0) throw new Error(`--set is ${values.set[0]}. Expected no --set with the preset ${preset}: its clustering cannot be changed.`);
  const hub = httpAddress('--hub', values.hub);
  refuseIdleModel(values, preset);
  if (values['no-cache']) refuseIdle(values, ['cache'], 'with --no-cache');
  return {
    folders: positionals,
    preset,
    speed,
    clustering,
    options,
    changes,
    backend: oneOf('--backend', values.backend, DIARIZER_OPTIONS.backend.values),
    model: values.model,
    trustModel: values['trust-model'],
    hub,
    engine: values.engine === undefined ? undefined : oneOf('--engine', values.engine, ENGINES),
    hasPeer: values.peer,
    cache: values['no-cache'] ? null : (values.cache ?? defaultCacheFolder()),
    json: values.json,
  };
}

/** Names of the scripts that compute the features or turns of a preset. Turns are computed by workers and by the library itself. */
export const scriptsOf = (preset: PresetId): RegExp => (isWindowed(preset) ? /^(decode|segmentation|embedding)\./ : /\.js$/);

function changeOf(text: string): [string, number] {
  const [name = '', value] = text.split('=');
  if (name === '' || value === undefined) throw new Error(`--set is ${text}. Expected NAME=VALUE.`);
  return [name, number(`--set ${name}`, value)!];
}

/** Applies overrides to the clustering settings. @throws Error for names that are not numeric settings */
export function changedSettings(settings: PipelineSettings, changes: EvaluateCommand['changes']): PipelineSettings {
  const { clustering } = settings;
  const numbers = Object.entries(clustering).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
  for (const name of Object.keys(changes)) {
    if (!numbers.includes(name)) throw new Error(`--set names ${name}. The clustering ${clustering.method} has ${numbers.join(', ')}.`);
  }
  return { ...settings, clustering: { ...clustering, ...changes } };
}
