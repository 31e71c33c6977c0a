import type { TableEntry } from './script';

/** All commands, in the order of the help. */
export const COMMANDS: readonly TableEntry[] = [
  { name: 'diarize', summary: 'find who spoke when in recordings', load: () => import('./diarize') },
  { name: 'score', summary: 'error rates of one RTTM file against another', load: () => import('./score') },
  { name: 'evaluate', summary: 'error rates over a folder of recordings with references', load: () => import('./evaluate') },
  { name: 'corpus plan', summary: 'check the recordings of a corpus and split them into shards', load: () => import('./corpus/plan') },
  { name: 'corpus run', summary: 'diarize the recordings of a plan, or one shard of them', load: () => import('./corpus/run') },
  { name: 'corpus merge', summary: 'merge the results of a corpus into RTTM, Lhotse and NeMo files', load: () => import('./corpus/merge') },
  { name: 'corpus status', summary: 'show what is done, running, failed and left, and all errors', load: () => import('./corpus/status') },
  { name: 'corpus template', summary: 'print a job that runs a plan on a scheduler', load: () => import('./corpus/template') },
  { name: 'compare', summary: 'compare a port with golden outputs, stage by stage', load: () => import('./compare') },
  { name: 'bisect', summary: 'find the first node that WebGPU computes differently from WASM', load: () => import('./bisect') },
  { name: 'audit', summary: 'list the weights of a graph and compare them with a checkpoint', load: () => import('./audit') },
  { name: 'stage', summary: 'write the output of one stage or layer', load: () => import('./stage') },
  { name: 'replay', summary: 'repeat the clustering of a pyannote capture', load: () => import('./replay') },
  { name: 'models', summary: 'list and delete the models in the cache folder', load: () => import('./models') },
  { name: 'serve', summary: 'serve a folder on localhost, for testing a page', load: () => import('./serve') },
  { name: 'copy', summary: 'copy workers, models and runtime for bundlers that copy no files', load: () => import('./copy') },
  { name: 'completion', summary: 'print a script that completes commands and flags', load: async () => (await import('./completion')).completionOf(COMMANDS) },
];
