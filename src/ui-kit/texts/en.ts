import type { KeptFile } from '../../engine/downloadFacts';
import type { Preview } from '../../engine/types';
import type { ErrorCode } from '../../util/errors';
import { formatsIn, licenseName } from '../format';
import type { StageGroupId } from '../stageGroups';

/** What an error means for the user and what to do, without technical details. */
export interface ErrorWords {
  /** Without a period: it is a list item. */
  readonly problem: string;
  readonly remedy: string;
}

/** The English page shows the engine's messages; these texts fill in missing remedies. */
export const errorsEn: Readonly<Record<ErrorCode, ErrorWords>> = {
  'audio-empty': { problem: 'The file is empty', remedy: 'Choose another file, or copy this one again' },
  'audio-unsupported': {
    problem: 'This browser cannot read the file as audio or video, or the file has no audio track',
    remedy: 'Convert the recording, to WAV for example, or choose another file',
  },
  'audio-no-samples': { problem: 'The audio track of the file is empty', remedy: 'Choose another recording, or export this one again' },
  'audio-truncated': { problem: 'The file ends before the end of the audio that its header declares', remedy: 'Copy or download the whole file again' },
  'audio-channels': { problem: 'The recording has a number of channels that cannot be mixed to mono', remedy: 'Export the recording in mono or stereo' },
  'audio-not-finite': { problem: 'The audio contains values that are NaN, infinite or too large', remedy: 'Export the recording again, as 16-bit PCM for example' },
  'audio-decode': { problem: 'The file is damaged: decoding stopped in the middle of it', remedy: 'Copy the file again, or convert it' },
  'audio-missing': { problem: 'The recording could not be fetched', remedy: 'Check the connection and try again, or choose another recording' },
  'source-missing': { problem: 'There is no recording at this address', remedy: 'Check the address, or choose another recording' },
  options: { problem: 'A setting is out of range or contradicts another', remedy: 'Change the setting and try again' },
  'model-missing': { problem: 'A model file could not be fetched', remedy: 'Check the connection and try again' },
  'model-download': {
    problem: 'The download of a model file was incomplete in several attempts',
    remedy: 'Try again: the download continues. If you have the file, you can drop it on the page instead',
  },
  'model-altered': { problem: 'A model file is not the expected one: its checksum differs', remedy: 'Clear the browser cache, or download the file again' },
  storage: {
    problem: 'The browser does not allow the page to read or change its stored data',
    remedy: "Allow the page to store data, or delete its data in the browser's settings",
  },
  'model-invalid': { problem: 'A model does not have the required inputs and outputs', remedy: 'Choose another model file' },
  'model-output': { problem: 'A model returned NaN or infinite values', remedy: 'Run again on WASM, or with another model' },
  'backend-unavailable': { problem: 'The chosen backend is not available in this browser', remedy: 'Choose another backend, or automatic' },
  'backend-failed': { problem: 'The computation stopped and could not be resumed', remedy: 'Try again, or run on WASM' },
  'gpu-lost': { problem: 'The connection to the GPU was lost', remedy: 'Try again, or run on WASM' },
  'gpu-memory': { problem: 'The GPU does not have enough memory', remedy: 'Close other tabs that use the GPU, or run on WASM' },
  'gpu-wrong': { problem: 'The GPU returns wrong results', remedy: 'Run on WASM' },
  'worker-failed': { problem: 'A background worker of the page failed to start or ended unexpectedly', remedy: 'Try again. If it fails again, close other tabs to free memory and reload the page' },
  format: { problem: 'The file cannot be read: it is damaged or in another format', remedy: 'Choose a file in one of the listed formats' },
  cancelled: { problem: 'The operation was canceled', remedy: 'Start again' },
  environment: { problem: 'This function is not available in a browser', remedy: 'Use it in Node' },
  disposed: { problem: 'This part of the page had already been closed', remedy: 'Reload the page' },
};

/** For errors that are not a `VoxlaneError`. */
export const unexpectedEn: ErrorWords = {
  problem: 'An unexpected error occurred',
  remedy: 'Try again, or reload the page',
};

/** For a file that the browser can no longer read. */
export const unreadableEn: ErrorWords = {
  problem: 'The browser can no longer read the file: it was moved, changed or deleted',
  remedy: 'Choose the file again',
};

/** English texts about presets and models on the main page. */

const { bytes: bytesText, clock, count, date, percent, ratio, span } = formatsIn('en');

/** Name of a backend, in all languages. */
export const backendName = (backend: 'wasm' | 'webgpu'): string => ({ wasm: 'WASM', webgpu: 'WebGPU' })[backend];

/** `26.5 MB · CC BY 4.0`, or a text in place of the size. */
const facts = (size: string, license: string): string => `${size} · ${licenseName(license)}`;

export const modelsEn = {
  preset: 'Preset',
  presets: { auto: 'Automatic', campplus: 'campplus', 'community-1': 'community-1', nemotron: 'nemotron' },
  presetLines: {
    auto: 'community-1 if its model is in this browser, otherwise campplus. Downloads nothing.',
    campplus: 'CAM++ embeddings, clustered by similarity.',
    'community-1': 'pyannote’s pipeline: WeSpeaker ResNet34 embeddings, clustered with PLDA and VBx.',
    nemotron: 'NVIDIA’s Nemotron 3 Diarization: one model finds and follows up to eight speakers. Not measured here.',
  },
  presetNow: { auto: 'preset: automatic', campplus: 'campplus', 'community-1': 'community-1', nemotron: 'nemotron' },
  comesAlong: (license: string): string => facts('included in this page', license),
  isHere: (license: string): string => facts('in this browser', license),
  toDownload: (bytes: number, license: string): string => facts(`${bytesText(bytes)} to download`, license),
  chooseFile: 'Use a model file',
  toOffer: 'Details and download',
  /** The network that the file of a preset must be. */
  networks: { 'community-1': 'a WeSpeaker ResNet34', nemotron: 'a Nemotron 3 Diarization network' },

  box: 'Model',
  offer: {
    heading: (preset: string): string => `Use ${preset}`,
    leads: {
      'community-1': 'pyannote’s open pipeline, with WeSpeaker ResNet34 embeddings. Downloaded once and stored in this browser; recordings still stay here.',
      nemotron: 'NVIDIA’s Nemotron 3 Diarization: one model finds and follows up to eight speakers. Downloaded once and stored in this browser; recordings still stay here.',
    },
    facts: (bytes: number, license: string, attribution: string): string => `${bytesText(bytes)}, ${licenseName(license)}. ${attribution}.`,
    take: (bytes: number): string => `Download ${bytesText(bytes)}`,
    goOn: (bytes: number): string => `Continue the download, ${bytesText(bytes)} left`,
    orFile: 'Or drop the file on this page if you have it.',
    labels: { download: 'Download', kept: 'Kept in this browser', license: 'License', source: 'Source', rates: 'Error rates' },
    size: (bytes: number): string => bytesText(bytes),
    /** The files that later visits read, one per form, and the size of the download. */
    kept: (files: readonly KeptFile[], bytes: number): string => {
      const each = files.map((file) => {
        const size = files.length === 1 ? bytesText(file.bytes) : `${bytesText(file.bytes)} for ${file.backends.map(backendName).join(' and ')}`;
        return file.isConverted ? `${size}, converted` : size;
      });
      return files.some(({ isConverted }) => isConverted) ? `${each.join(', or ')}. After a conversion, the original (${bytesText(bytes)}) can be deleted` : each.join(', or ');
    },
    revision: (revision: string): string => `revision ${revision.slice(0, 12)}`,
    /** About error rates that were not measured here. */
    rates: { nemotron: 'Only those of its model card: Voxlane has not verified them with the official file yet.' },
  },
  downloading: (preset: string): string => `Downloading ${preset}`,
  waiting: (preset: string): string => `Another tab is downloading or converting ${preset}. This tab continues after it`,
  converting: (preset: string): string => `Converting ${preset} for this browser, once`,
  progress: { download: 'Progress of the download', convert: 'Progress of the conversion' },
  checking: (file: string): string => `Checking ${file}`,
  starting: 'Starting the models',
  received: (receivedBytes: number, totalBytes: number): string =>
    `${bytesText(receivedBytes)} of ${bytesText(totalBytes)} · ${percent(totalBytes > 0 ? receivedBytes / totalBytes : 0)}`,
  stop: 'Cancel',

  question: {
    heading: 'Use it anyway?',
    unknown: (file: string): string => `${file} is not a known model: its SHA-256 is not in the list of this page.`,
    checked: {
      'community-1': (network: string): string =>
        `If you continue, the page first verifies that the file is ${network}: its names and shapes, and that its output for a test sound is finite, not all zero, and in the usual range. It cannot verify how well the model distinguishes voices.`,
      nemotron: (network: string): string =>
        `If you continue, the page first verifies that the file is ${network}: its names, types and shapes, that its weights are finite, and that its output for a test sound is finite and depends on the sound. It cannot verify how well the model distinguishes voices.`,
    },
    yes: 'Use it anyway',
    no: 'Do not use it',
    noAndRun: 'Continue without it',
  },
  failed: {
    download: (preset: string): string => `${preset} could not be downloaded`,
    file: (file: string): string => `${file} could not be used`,
    deletion: 'The model could not be deleted',
    retry: 'Try again',
    dismiss: 'Close',
  },

  stored: {
    heading: 'Models kept in this browser',
    none: 'None. The models included in this page need no storage.',
    unknown: (problem: string): string => `The models could not be listed: ${problem}.`,
    total: (n: number, bytes: number): string => `${count(n)} ${n === 1 ? 'model' : 'models'}, ${bytesText(bytes)} in all`,
    size: (bytes: number): string => bytesText(bytes),
    /** Of a download that was interrupted. */
    part: (receivedBytes: number, bytes: number): string => `${bytesText(receivedBytes)} of ${bytesText(bytes)} downloaded`,
    license: (spdx: string | null): string => (spdx === null ? 'license unknown' : licenseName(spdx)),
    since: (storedAtMs: number): string => `since ${date(storedAtMs)}`,
    remove: 'Delete',
    removeLabel: (id: string): string => `Delete ${id}`,
    original: (bytes: number): string => `Delete the original (${bytesText(bytes)})`,
    originalLabel: (id: string, bytes: number): string => `Delete the original of ${id} (${bytesText(bytes)}), and keep the converted file`,
    confirm: (bytes: number): string => `Delete? The next use would download ${bytesText(bytes)} again.`,
    yes: 'Yes, delete',
    no: 'Keep',
  },
};

export type ModelsWords = typeof modelsEn;

export type Notice =
  | 'busy'
  | 'busy-model'
  | 'cancelled'
  | 'first-only'
  | 'options-range'
  | 'options-number'
  | 'download-stopped'
  | 'conversion-stopped'
  | 'preset-ready'
  | 'model-deleted';

/** English texts of the main page. Other languages have the same shape. */

const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

const STAGES: Readonly<Record<StageGroupId, string>> = {
  decode: 'Reading audio',
  segmentation: 'Finding speech',
  fbank: 'Features',
  embedding: 'Embeddings',
  clustering: 'Clustering',
};

const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'Only one recording can be analyzed at a time. The current one continues; the new one was ignored.',
  'busy-model': 'You cannot change the model while a recording is being analyzed. The recording continues; the new model was ignored.',
  cancelled: 'Canceled. Nothing was saved.',
  'first-only': 'Several files were dropped. Only the first one was opened.',
  'options-range': 'The minimum number of speakers exceeds the maximum.',
  'options-number': 'The number of speakers must be a whole number of 1 or more.',
  'download-stopped': 'The download was stopped. The received part is kept, and the download can continue from there.',
  'conversion-stopped': 'The conversion was stopped. The download is kept, and the next use converts it again.',
  'preset-ready': 'The model is ready. The next recording uses it.',
  'model-deleted': 'The model was deleted from this browser.',
};

export const appEn = {
  name: 'Voxlane',
  tagline: 'Who spoke when, computed in this browser. Your audio never leaves this machine.',
  skip: 'Skip to the content',
  theme: 'Switch between light and dark',
  language: 'Language',
  languageBusy: 'Changing the language reloads the page, which would lose open or unfinished work',
  dismiss: 'Dismiss this message',
  /** Link to the page that compares models layer by layer. */
  compare: { href: 'compare.html', label: 'Compare a model' },
  pageTitle: {
    empty: 'Voxlane: who spoke when, in your browser',
    working: (file: string): string => `Analyzing ${file} · Voxlane`,
    done: (file: string): string => `${file} · Voxlane`,
    error: 'Not analyzed · Voxlane',
  },
  notices: NOTICES,

  empty: {
    heading: 'Open a recording and see who spoke when',
    lead: 'Drop an audio or video file anywhere on this page.',
    choose: 'Choose a file',
    sample: 'Try the sample',
    /** Name of the file on the server, equal in every language. */
    sampleName: 'sample.wav',
    formats: 'WAV, MP3, M4A, FLAC, OGG, MP4, MOV, WebM. Nothing is uploaded.',
    facts: [
      ['Input', 'An audio or video file'],
      ['Output', 'Every turn of every speaker, to play, correct and export as RTTM, JSON, subtitles and more'],
      ['Leaves this machine', 'Nothing'],
    ] as readonly (readonly [string, string])[],
    back: (file: string): string => `Back to the result for ${file}`,
  },
  drop: {
    ready: 'Drop a recording to analyze it, or a model file to use it',
    busy: 'One recording at a time: cancel the one in progress first',
  },
  options: {
    summary: 'Options',
    speed: 'Speed',
    speeds: { exact: 'Exact', fast: 'Fast' },
    /** What each speed computes and its cost. Measured: bench/RESULTS.md. */
    speedCost: {
      exact: {
        what: 'pyannote’s computation: the embeddings of every window.',
        cost: 'The 30 s sample takes 3 s on two cores without a GPU; error rate on eight recordings 32.1 %.',
      },
      fast: {
        what: 'Embeddings of every fifth or tenth window; the speakers can differ.',
        cost: 'The sample takes 1.2 s on two cores without a GPU; error rate on the same recordings 31.6 %.',
      },
    },
    speakers: 'Number of speakers',
    mode: { auto: 'Automatic', exact: 'Exactly', range: 'Between' },
    exact: 'Exact number of speakers',
    min: 'Minimum number of speakers',
    max: 'Maximum number of speakers',
    and: 'and',
    backend: 'Run the models on',
    backends: { auto: 'Automatic', webgpu: 'WebGPU', wasm: 'WASM' },
    backendHint: 'Automatic selects the fastest backend that works on this machine.',
    /** Why the chosen preset does not have an option. */
    lacking: {
      exact: (preset: string): string => `${preset} has one speed: its model computes everything.`,
      fast: (preset: string): string => `Not with ${preset}: it has no embeddings to omit.`,
    },
    checkGpu: 'Check the GPU again',
    gpuForgotten: 'The GPU will be checked again before the next recording.',
    now: (...choices: readonly string[]): string => choices.join(' · '),
    speedNow: { exact: 'speed: exact', fast: 'speed: fast' },
    speakersNow: {
      auto: 'speakers: automatic',
      exact: (n: number): string => plural(n, 'speaker', 'speakers'),
      range: (min: number, max: number): string => `${min} to ${max} speakers`,
    },
    backendNow: { auto: 'backend: automatic', webgpu: 'on WebGPU', wasm: 'on WASM' },
  },

  running: {
    label: 'In progress',
    loading: 'Loading models',
    working: 'Analyzing',
    elapsed: 'Elapsed',
    cancel: 'Cancel',
    escape: 'Esc',
    stages: STAGES,
    waiting: 'waiting',
    done: 'done',
    of: (completed: number, total: number): string => `${count(completed)} / ${count(total)}`,
    left: (seconds: number): string => (seconds < 1 ? 'under 1 s left' : `${span(Math.ceil(seconds))} left`),
    bar: (stage: string, fraction: number): string => `${stage}: ${percent(fraction)}`,
    preview: {
      label: 'So far',
      covers: (seconds: number): string => `The first ${span(seconds)}`,
      found: (speakers: number, turns: number): string =>
        turns === 0 ? 'no speech yet' : `${plural(speakers, 'speaker', 'speakers')} · ${plural(turns, 'turn', 'turns')}`,
      hint: 'Provisional: turns and speakers can change until the whole recording is done.',
      tracks: 'Timeline of speakers so far',
    },
  },

  done: {
    label: 'Result',
    summary: (speakers: number, turns: number, seconds: number): string =>
      [plural(speakers, 'speaker', 'speakers'), plural(turns, 'turn', 'turns'), clock(seconds)].join(' · '),
    rttm: 'RTTM',
    rttmLabel: 'Download RTTM',
    json: 'JSON',
    jsonLabel: 'Download JSON',
    again: 'New recording',
    play: 'Play',
    pause: 'Pause',
    position: 'Position',
    silence: 'no one is speaking',
    /** Reasons why the recording does not play. */
    playback: {
      unplayable: 'This browser cannot play this file. The tracks and the table still show the result.',
      'no-output': 'No audio output device was found. Connect one and press Play.',
      stopped: 'Playback stopped. Check the audio output device, then press Play to try again.',
    },
    modeLabel: 'Turns',
    mode: { overlapping: 'Overlapping', exclusive: 'Exclusive' },
    modeHint: 'Exclusive keeps one speaker at a time, for aligning transcripts.',
    zoomIn: 'Zoom in',
    zoomOut: 'Zoom out',
    zoomFit: 'Fit',
    zoomFitLabel: 'Show the whole recording',
    tracks: 'Timeline of speakers',
    at: (seconds: number, speakers: string): string => `${clock(seconds, 1)}, ${speakers}`,
    share: (fraction: number): string => percent(fraction),
    trackTitle: (name: string, seconds: number, share: number): string =>
      `${name}: ${span(seconds)} of speech, ${percent(share)} of all speech`,
    keys: [
      ['Space', 'play or pause'],
      ['← →', '5 seconds'],
      ['↑ ↓', 'turn by turn in the table'],
      ['Enter', 'play the turn'],
    ] as readonly (readonly [string, string])[],
    keysLabel: 'Keys',
    table: 'Turns',
    columns: { start: 'Start', end: 'End', length: 'Length', speaker: 'Speaker' },
    run: 'This run',
    speaker: (index: number): string => `Speaker ${index + 1}`,
  },
  details: {
    preset: 'Preset',
    speed: 'Speed',
    speeds: { exact: 'exact', fast: 'fast' },
    embeddingModel: (sha256: string): string => `model ${sha256.slice(0, 12)}…`,
    backend: 'Backend',
    threads: (n: number): string => plural(n, 'thread', 'threads'),
    processing: 'Processing time',
    factor: 'Real-time factor',
    audio: 'Audio',
    stages: 'Work per stage',
    stagesHint: 'Stages run in parallel, so their sum can exceed the processing time.',
    faster: (rtf: number): string =>
      rtf < 1 ? `${ratio(1 / rtf)} × faster than real time` : `${ratio(rtf)} × slower than real time`,
  },
  selfCheck: {
    heading: (passed: boolean): string => (passed ? 'Self-check: passed' : 'Self-check: failed'),
    link: 'See every stage',
    columns: ['Stage', 'Deviation', 'Tolerance', 'Verdict'],
    pass: 'pass',
    fail: 'fail',
    backends: { webgpu: 'WebGPU', kernels: 'Voxlane’s WASM kernels', wasm: 'ONNX Runtime on WASM' },
    hint: 'Before a backend is used, it must reproduce reference outputs; a GPU must also reproduce the outputs of WASM. The check is repeated after 30 days, or when you choose “Check the GPU again” in the options.',
    compare: (model: string): string => `Compare ${model} layer by layer`,
    fallback: 'This GPU computes wrong results, so it was not used for this result.',
    kernelFallback: 'Voxlane’s WASM kernels compute wrong results in this browser, so ONNX Runtime computed this result.',
  },
  silent: {
    heading: 'No speech found',
    body: (seconds: number): string =>
      `The whole recording (${clock(seconds)}) was analyzed, and no speech was detected.`,
    hint: 'If someone does speak, check that the right audio track was exported and that it is loud enough.',
  },
  error: {
    label: 'Not analyzed',
    heading: (file: string): string => `${file} could not be analyzed`,
    problem: 'What was wrong',
    expected: 'What was expected',
    remedy: 'What you can do',
    choose: 'Choose another file',
    retry: 'Try again',
    wasm: 'Retry on WASM',
    bundled: 'Retry with campplus',
    options: 'Change the options',
    back: (file: string): string => `Back to the result for ${file}`,
    kept: 'Your last result is still available.',
    code: (code: string): string => `Code: ${code}`,
    /** Above the engine's message, which is English on every page. */
    original: 'The full message in English',
    details: 'Technical details',
  },
  announce: {
    started: (file: string): string => `Analyzing ${file}. Loading models.`,
    stage: (stage: string): string => stage,
    preview: ({ analyzedSeconds, turns }: Preview): string =>
      turns.length === 0
        ? `No speech in the first ${span(analyzedSeconds)}.`
        : `The turns of the first ${span(analyzedSeconds)} are shown. They can still change.`,
    done: (speakers: number, turns: number): string =>
      turns === 0
        ? 'Done. No speech found.'
        : `Done. ${plural(speakers, 'speaker', 'speakers')}, ${plural(turns, 'turn', 'turns')}.`,
  },
};

export type AppWords = typeof appEn;
