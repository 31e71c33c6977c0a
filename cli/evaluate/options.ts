import { parseArgs } from 'node:util';
import type { BackendChoice, ClusteringName, PresetId, Speed } from '../../src/index';
import { checkMinDurations } from '../../src/engine/options';
import type { PipelineSettings } from '../../src/engine/settings';
import { checkedAs, number, oneOf } from '../arguments';
import { OPTION_NAMES } from '../diarizeOptions';
import { defaultCacheFolder } from './featureCache';

export const HELP = `Usage: npm run --silent evaluate -- [FOLDER…] [options]

Diarizes recordings that have a reference and prints error rates, per recording and in total. A FOLDER holds audio files
with an RTTM file of the same name beside each. Without one, VOXLANE_SHARED names the evaluation corpus: conversations that
its generator makes (needs Python with numpy, scipy and soundfile), AMI clips and captures.

  --preset campplus|community-1   which models (default campplus)
  --speed exact|fast              default exact
  --clustering preset|pyannote-3.1
                                  clustering settings (default preset)
  --min-duration-on S             shortest turn (default: that of the preset)
  --min-duration-off S            shortest gap within a speaker (default: that of the preset)
  --set NAME=VALUE                another value for a number of the clustering settings, such as observationWeight=0.05;
                                  can be repeated
  --backend auto|webgpu|wasm      where the models run (default wasm)
  --model FILE.onnx, --trust-model  as of diarize
  --no-peer                       without sherpa-onnx
  --cache DIR                     where features and made conversations are kept
                                  (default ${defaultCacheFolder()})
  --no-cache                      keep no features
  --json                          the figures as JSON on standard output
  --help                          this text

DER and JER are computed without collar and with overlapping speech. The floor is the DER if each window's local speakers
are assigned to the true speakers: what the segmentation leaves. In JSON, all rates are fractions of the reference's speech.

Exit status: 0 if every recording was evaluated, else 1.
`;

export interface EvaluateCommand {
  readonly folders: readonly string[];
  readonly preset: PresetId;
  readonly speed: Speed | undefined;
  readonly clustering: ClusteringName;
  readonly minDurationOn: number | undefined;
  readonly minDurationOff: number | undefined;
  /** Other values for numbers of the clustering settings, by name. */
  readonly changes: Readonly<Record<string, number>>;
  readonly backend: BackendChoice;
  readonly model: string | undefined;
  readonly trustModel: boolean;
  readonly hasPeer: boolean;
  readonly cache: string | null;
  readonly json: boolean;
}

/** @throws Error with one line that says what is wrong with the command line */
export function parseCommand(args: readonly string[]): EvaluateCommand | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      preset: { type: 'string', default: 'campplus' },
      speed: { type: 'string' },
      clustering: { type: 'string', default: 'preset' },
      'min-duration-on': { type: 'string' },
      'min-duration-off': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      backend: { type: 'string', default: 'wasm' },
      model: { type: 'string' },
      'trust-model': { type: 'boolean', default: false },
      'no-peer': { type: 'boolean', default: false },
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
  return {
    folders: positionals,
    preset: oneOf('--preset', values.preset, ['campplus', 'community-1']),
    speed: values.speed === undefined ? undefined : oneOf<Speed>('--speed', values.speed, ['exact', 'fast']),
    clustering: oneOf('--clustering', values.clustering, ['preset', 'pyannote-3.1']),
    minDurationOn,
    minDurationOff,
    changes: Object.fromEntries(values.set.map(changeOf)),
    backend: oneOf('--backend', values.backend, ['auto', 'webgpu', 'wasm']),
    model: values.model,
    trustModel: values['trust-model'],
    hasPeer: !values['no-peer'],
    cache: values['no-cache'] ? null : (values.cache ?? defaultCacheFolder()),
    json: values.json,
  };
}

function changeOf(text: string): [string, number] {
  const [name = '', value] = text.split('=');
  if (name === '' || value === undefined) throw new Error(`--set is ${text}. Expected NAME=VALUE.`);
  return [name, number(`--set ${name}`, value)!];
}

/** Clustering settings with other values. @throws Error for a name that is not one of their numbers */
export function changedSettings(settings: PipelineSettings, changes: EvaluateCommand['changes']): PipelineSettings {
  const { clustering } = settings;
  const numbers = Object.entries(clustering).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
  for (const name of Object.keys(changes)) {
    if (!numbers.includes(name)) throw new Error(`--set names ${name}. The clustering ${clustering.method} has ${numbers.join(', ')}.`);
  }
  return { ...settings, clustering: { ...clustering, ...changes } };
}
