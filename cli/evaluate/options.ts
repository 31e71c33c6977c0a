import type { BackendChoice, ClusteringName, DiarizeOptions, PresetId, Speed } from '../../src/index';
import { checkMinDurations } from '../../src/engine/options';
import { DIARIZER_OPTIONS, RUN_OPTIONS } from '../../src/engine/optionSchema';
import { isWindowed, type PipelineSettings } from '../../src/engine/settings';
import { checkedAs, number, oneOf } from '../arguments';
import { OPTION_NAMES } from '../diarizeOptions';
import { ENGINE_HELP, ENGINES, type EngineName } from '../engineNames';
import { defaultCacheFolder } from './featureCache';
import { parseFlags } from '../usage';

export const HELP = `Usage: voxlane evaluate [FOLDER…] [options]

Diarizes recordings with a reference and prints error rates per recording and in total. A FOLDER contains audio files, each
with an RTTM file of the same name beside it. Without a FOLDER, in a clone of the repository, the command evaluates the corpus in
VOXLANE_SHARED: generated conversations (requires Python with numpy, scipy and soundfile), AMI clips and captures.

  --preset campplus|community-1|nemotron
                                  models to use (default campplus); nemotron has no floor, speed or clustering
  --speed exact|fast              speed (default exact)
  --clustering preset|pyannote-3.1
                                  clustering settings (default preset)
  --min-duration-on S             minimum duration of a turn (default: set by the preset)
  --min-duration-off S            minimum gap between turns of a speaker (default: set by the preset)
  --streaming-mode MODE           mode of nemotron: offline (default), low_latency, very_low_latency or ultra_low_latency
  --set NAME=VALUE                override a number of the clustering settings, such as observationWeight=0.05;
                                  can be repeated
  --backend auto|webgpu|wasm      backend for the models (default wasm)
  --engine node|browser           ${ENGINE_HELP}
  --model FILE, --trust-model     same as for diarize
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
  readonly minDurationOn: number | undefined;
  readonly minDurationOff: number | undefined;
  readonly streamingMode: DiarizeOptions['streamingMode'];
  /** Overrides for numbers of the clustering settings, by name. */
  readonly changes: Readonly<Record<string, number>>;
  readonly backend: BackendChoice;
  readonly model: string | undefined;
  readonly trustModel: boolean;
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
      'min-duration-on': { type: 'string' },
      'min-duration-off': { type: 'string' },
      'streaming-mode': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      backend: { type: 'string', default: 'wasm' },
      model: { type: 'string' },
      'trust-model': { type: 'boolean', default: false },
      engine: { type: 'string' },
      peer: { type: 'boolean', default: false },
      cache: { type: 'string' },
      'no-cache': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const minDurationOn = number('--min-duration-on', values['min-duration-on']);
  const minDurationOff = number('--min-duration-off', values['min-duration-off']);
  checkedAs(OPTION_NAMES, () => checkMinDurations({ minDurationOn, minDurationOff }));
  const preset = presetOf(values);
  return {
    folders: positionals,
    preset,
    speed: values.speed === undefined ? undefined : oneOf('--speed', values.speed, DIARIZER_OPTIONS.speed.values),
    clustering: oneOf('--clustering', values.clustering, DIARIZER_OPTIONS.clustering.values),
    minDurationOn,
    minDurationOff,
    streamingMode: modeOf(preset, values['streaming-mode']),
    changes: Object.fromEntries(values.set.map(changeOf)),
    backend: oneOf('--backend', values.backend, DIARIZER_OPTIONS.backend.values),
    model: values.model,
    trustModel: values['trust-model'],
    engine: values.engine === undefined ? undefined : oneOf('--engine', values.engine, ENGINES),
    hasPeer: values.peer,
    cache: values['no-cache'] ? null : (values.cache ?? defaultCacheFolder()),
    json: values.json,
  };
}

/** @throws Error if other flags do not exist for the preset */
function presetOf({ preset: name, speed, clustering, set }: { readonly preset: string; readonly speed?: string; readonly clustering: string; readonly set: readonly string[] }): PresetId {
  const preset = oneOf('--preset', name, ['campplus', 'community-1', 'nemotron']);
  if (!isWindowed(preset) && (speed === 'fast' || clustering !== 'preset' || set.length > 0)) {
    throw new Error(`--preset ${preset} has no embeddings or clustering. Omit --speed fast, --clustering and --set.`);
  }
  return preset;
}

/** @throws Error if the preset has no modes */
function modeOf(preset: PresetId, name: string | undefined): DiarizeOptions['streamingMode'] {
  if (name === undefined) return undefined;
  const mode = oneOf('--streaming-mode', name, RUN_OPTIONS.streamingMode.values);
  if (isWindowed(preset) && mode !== 'offline') throw new Error(`--preset ${preset} has no streaming modes. Omit --streaming-mode, or use --preset nemotron.`);
  return mode;
}

/** Names of the worker scripts that compute the features or turns of a preset. */
export const workersOf = (preset: PresetId): RegExp => (isWindowed(preset) ? /^(decode|segmentation|embedding)\./ : /^(decode|sortformer)\./);

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
