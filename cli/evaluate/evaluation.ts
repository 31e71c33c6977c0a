import { readFileSync } from 'node:fs';
import { readAnyPlda, type AnyPlda } from '../../src/clustering/plda';
import { Assembler } from '../../src/timeline/assembler';
import type { KeptVoices, Turn } from '../../src/index';
import { keptOptions, minDurationsOf, nameSpeakers } from '../../src/engine/assembly';
import { checkBounds } from '../../src/engine/options';
import type { PipelineSettings } from '../../src/engine/settings';
import { diarizationErrorRate, type Components, type Score } from '../../src/score/der';
import { jaccardErrorRate } from '../../src/score/jer';
import { parsePldaManifest } from '../../src/store/plda';
import { modelFile } from '../modelFolder';
import { floorTurns } from './floor';
import type { Features, TurnOptions } from './sources';

/** Result of another diarization system for a recording. */
export interface PeerRow {
  readonly score: Score;
  readonly speakersFound: number;
}

/** Figures of one recording; components in seconds. */
export interface EvaluationRow {
  readonly name: string;
  readonly durationSeconds: number;
  readonly score: Score;
  readonly jer: number;
  /** Null for a preset without local speakers. */
  readonly floor: (Components & { readonly der: number }) | null;
  readonly speakersFound: number;
  readonly speakersThere: number;
  /** Duration of the shortest turn; null without turns. */
  readonly shortestTurnSeconds: number | null;
  readonly numTurns: number;
  readonly peer: PeerRow | null;
}

/** The turns of kept voices with these settings, identical to those of a run. */
export function turnsOfVoices(voices: KeptVoices, settings: PipelineSettings, asked: TurnOptions): readonly Turn[] {
  if (!voices.activity.includes(1)) return [];
  const { clustering } = settings;
  const { minDurationOn, minDurationOff } = asked;
  const facts = { ...keptOptions({ ...voices, clustering }), minDurations: minDurationsOf(settings, { minDurationOn, minDurationOff }) };
  const input = { ...facts, activity: voices.activity, embeddings: voices.embeddings, embedded: voices.embedded };
  const assembly = new Assembler(input, clustering.method !== 'agglomerative' ? loadPlda(clustering.plda) : null).assemble({ ...facts.options, ...checkBounds(asked) });
  const names = { dimension: voices.dimension, embeddingModel: voices.embedding.sha256 };
  return nameSpeakers(assembly, voices.startSeconds, names).turns;
}

const pldas = new Map<string, AnyPlda>();

function loadPlda(id: string): AnyPlda {
  const known = pldas.get(id);
  if (known) return known;
  const manifest = parsePldaManifest(JSON.parse(readFileSync(modelFile(id, 'manifest.json'), 'utf8')), id);
  const plda = readAnyPlda(manifest, readFileSync(modelFile(id, manifest.file.name)));
  pldas.set(id, plda);
  return plda;
}

/**
 * @param peerTurns turns of another diarization system; null if there is none
 */
export function evaluateRecording(
  name: string,
  { voices, durationSeconds }: Pick<Features, 'durationSeconds'> & { readonly voices: KeptVoices | null },
  reference: readonly Turn[],
  turns: readonly Turn[],
  peerTurns: readonly Turn[] | null,
): EvaluationRow {
  const options = { uem: [{ startSeconds: 0, endSeconds: durationSeconds }] };
  const lengths = turns.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds);
  const scoreOf = (hypothesis: readonly Turn[]): Score => diarizationErrorRate(reference, hypothesis, options);
  return {
    name,
    durationSeconds,
    score: scoreOf(turns),
    jer: jaccardErrorRate(reference, turns, options).jer,
    floor: voices && scoreOf(floorTurns(voices, reference)),
    speakersFound: countOf(turns),
    speakersThere: countOf(reference),
    shortestTurnSeconds: lengths.length === 0 ? null : lengths.reduce((least, length) => Math.min(least, length)),
    numTurns: turns.length,
    peer: peerTurns && { score: scoreOf(peerTurns), speakersFound: countOf(peerTurns) },
  };
}

const countOf = (turns: readonly Turn[]): number => new Set(turns.map(({ speaker }) => speaker)).size;
