/**
 * `voxlane/compare`: a model's graph against golden outputs, stage by stage, on WASM and on WebGPU; the first node that
 * the two compute otherwise; an audit of the weights.
 */
export type { AuditEntry, AuditFlag, AuditReport } from '../compare/auditReport';
export { readBundle } from '../compare/bundle';
export type { GoldenBundle, GoldenStage, GoldenTensor } from '../compare/bundle';
export type { Tolerance } from '../compare/compare';
export type { DecisionRule } from '../compare/decisions/rule';
export type { LayerRequest } from '../compare/layer';
export type { ListedValue } from '../compare/listValues';
export type { Pair, StagePicture } from '../compare/picture';
export { rankRows } from '../compare/precision/report';
export type { DecidingOutput, PrecisionHead, PrecisionReport, PrecisionRow, PrecisionTotal, RoundedType, RoundingEffect, RowsLeft } from '../compare/precision/report';
export type {
  BackendName,
  RuntimeBackend,
  BetweenReport,
  BisectReport,
  Cause,
  CauseId,
  ComparisonReport,
  Coverage,
  DecisionCause,
  DecisionKind,
  DecisionReport,
  DifferingDecision,
  ErrorQuantiles,
  Measures,
  NodeReport,
  Outcome,
  StageReport,
  UncomparedStage,
  Verdict,
  WorstValue,
} from '../compare/report';
export type { NamedTensor, Tensor } from '../compare/tensor';
export type { ToleranceOverride } from '../compare/stageTolerance';
export { rejudge } from '../compare/verdict';
export { Comparator } from '../pipeline/comparator';
export type {
  BisectCallOptions,
  CallOptions,
  ComparatorOptions,
  CompareCallOptions,
  ComparisonProgress,
  NamedBlob,
  Opened,
  OpenedStage,
  PrecisionCallOptions,
  ReadOptions,
} from '../pipeline/comparatorTypes';
export { DISPOSE } from '../pipeline/disposeKey';
export type { ShippedModel } from '../store/shipped';
export { VoxlaneError } from '../util/errors';
export type { ExactValues } from '../util/exactValues';
export type { ErrorCode, ErrorParts } from '../util/errors';
