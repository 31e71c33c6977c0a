import type { AuditReport } from '../../compare/auditReport';
import type { Pair, StagePicture } from '../../compare/picture';
import type { BackendName, BetweenReport, BisectReport, ComparisonReport } from '../../compare/report';
import type { CallOptions, Opened } from '../../pipeline/comparatorTypes';
import type { ShippedModel } from '../../store/shipped';

/** What the panel needs of a comparator. An interface, so that the panel can be developed and tested without models. */
export interface ComparisonEngine {
  /** Any mix of golden bundles, a graph and a checkpoint. A file of a folder has its path in `webkitRelativePath`. */
  open(files: readonly File[], options?: CallOptions): Promise<Opened>;
  openShipped(id: ShippedModel, options?: CallOptions): Promise<Opened>;
  /** Says which value of the graph a stage is. */
  mapStage(stage: string, value: string): Promise<Opened>;
  /** `thorough` also looks whether the run repeats itself, and whether it depends on the batch size. */
  compare(backend: BackendName, options?: CallOptions & { readonly thorough?: boolean }): Promise<ComparisonReport>;
  /** WASM against WebGPU, after both were compared. */
  between(): Promise<readonly BetweenReport[]>;
  /** `column`: which frame the slice shows; by default the worst. */
  picture(stage: string, pair: Pair, column?: number): Promise<StagePicture>;
  audit(options?: CallOptions): Promise<AuditReport>;
  bisect(options?: CallOptions & { readonly tolerance?: number }): Promise<BisectReport>;
  /** A zip, after a bisection that found a node. */
  bugReport(): Promise<Uint8Array>;
  /** Browser, adapter, runtime, threads, hashes of the models. */
  environment(): Promise<Record<string, string>>;
  dispose(): void;
}

export type ComparisonEngineFactory = () => ComparisonEngine;
