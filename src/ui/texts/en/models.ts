import { formatsIn } from '../../format';
import { licenceName } from '../../models/licence';

/** Every word about presets and models on the main page, in English. */

const { bytes: bytesText, count, date, percent } = formatsIn('en');

/** `26.5 MB · CC BY 4.0`, or what is to be said in place of the size. */
const facts = (size: string, licence: string): string => `${size} · ${licenceName(licence)}`;

export const modelsEn = {
  preset: 'Preset',
  presets: { auto: 'Automatic', campplus: 'campplus', 'community-1': 'community-1' },
  presetLines: {
    auto: 'community-1 where its model is in this browser, campplus otherwise. Downloads nothing.',
    campplus: 'CAM++ voice prints, grouped by how alike they are.',
    'community-1': 'pyannote’s pipeline: WeSpeaker ResNet34 voice prints, grouped by PLDA and VBx.',
  },
  presetNow: { auto: 'preset: automatic', campplus: 'campplus', 'community-1': 'community-1' },
  comesAlong: (licence: string): string => facts('comes with this page', licence),
  isHere: (licence: string): string => facts('in this browser', licence),
  toDownload: (bytes: number, licence: string): string => facts(`${bytesText(bytes)} to download`, licence),
  chooseFile: 'Use a model file (.onnx)',

  box: 'Model',
  offer: {
    heading: 'Use community-1',
    lead: 'pyannote’s open pipeline, with voice prints of WeSpeaker’s ResNet34. Downloaded once and kept in this browser; recordings still stay here.',
    facts: (bytes: number, licence: string, attribution: string): string => `${bytesText(bytes)}, ${licenceName(licence)}. ${attribution}.`,
    take: (bytes: number): string => `Download ${bytesText(bytes)}`,
    goOn: (bytes: number): string => `Go on with the download, ${bytesText(bytes)} left`,
    orFile: 'A file that you have can be dropped on this page instead.',
  },
  downloading: 'Downloading community-1',
  checking: (file: string): string => `Checking ${file}`,
  starting: 'Starting the models',
  received: (receivedBytes: number, totalBytes: number): string =>
    `${bytesText(receivedBytes)} of ${bytesText(totalBytes)} · ${percent(totalBytes > 0 ? receivedBytes / totalBytes : 0)}`,
  stop: 'Cancel',

  question: {
    heading: 'Use it anyway?',
    unknown: (file: string): string => `Nobody has vouched for ${file}: its SHA-256 is none of those that this page knows.`,
    checked:
      'If you say yes, it is first checked to be a WeSpeaker ResNet34: what goes in, what comes out and of which shape, and that its output for a test sound is neither NaN nor all zero, and of a common size. Whether it tells voices apart cannot be checked.',
    yes: 'Use it anyway',
    no: 'Leave it',
    noAndRun: 'Go on without it',
  },
  failed: {
    download: 'community-1 could not be downloaded',
    file: (file: string): string => `${file} could not be used`,
    deletion: 'The model could not be deleted',
    retry: 'Try again',
    dismiss: 'Close',
  },

  stored: {
    heading: 'Models kept in this browser',
    none: 'None. What comes with this page needs no storage.',
    unknown: (problem: string): string => `They could not be listed: ${problem}.`,
    total: (n: number, bytes: number): string => `${count(n)} ${n === 1 ? 'model' : 'models'}, ${bytesText(bytes)} in all`,
    size: (bytes: number): string => bytesText(bytes),
    licence: (spdx: string | null): string => (spdx === null ? 'licence unknown' : licenceName(spdx)),
    since: (storedAtMs: number): string => `since ${date(storedAtMs)}`,
    remove: 'Delete',
    removeLabel: (id: string): string => `Delete ${id}`,
    confirm: (bytes: number): string => `Delete? To be used again, its ${bytesText(bytes)} have to be fetched again.`,
    yes: 'Yes, delete',
    no: 'Keep',
  },
};

export type ModelsWords = typeof modelsEn;
