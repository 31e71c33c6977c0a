/**
 * `voxlane/compare`: compares the graph of a model with golden outputs, stage by stage, on WASM and WebGPU; finds the
 * first node where the two backends differ; audits the weights.
 */
export type { AuditEntry, AuditFlag, AuditReport } from '../compare/report';
export { readBundle } from '../compare/files/bundle';
export type { GoldenBundle, GoldenStage, GoldenStep, GoldenStreaming, GoldenTensor } from '../compare/files/bundle';
export type { Tolerance } from '../compare/compare';
export type { DecisionRule } from '../compare/decisions/rule';
export type { LayerRequest } from '../compare/layer';
export type { ListedValue } from '../compare/matchValues';
export type { Pair, StagePicture } from '../compare/picture';
export { rankRows } from '../compare/precisionReport';
export type { DecidingOutput, PrecisionHead, PrecisionReport, PrecisionRow, PrecisionTotal, RoundedType, RoundingEffect, RowsLeft } from '../compare/precisionReport';
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
export type { StageDecisions, StateReport, StepDecisions, StepReport, StepsReport, StepStageReport } from '../compare/steps/stepsReport';
export type { ToleranceOverride } from '../compare/stageTolerance';
export { rejudge } from '../compare/verdict';
export { Comparator } from '../engine/comparator';
export type {
  BisectCallOptions,
  CallOptions,
  ComparatorOptions,
  CompareCallOptions,
  CompareStepsCallOptions,
  ComparisonProgress,
  NamedBlob,
  Opened,
  OpenCallOptions,
  OpenedStage,
  PrecisionCallOptions,
  ReadOptions,
} from '../engine/comparator';
export type { WeightsForm } from '../weights/convert';
export type { ShippedModel } from '../store/manifest';
export { VoxlaneError } from '../util/errors';
export type { ExactValues } from '../util/numberTypes';
export type { ErrorCode, ErrorParts } from '../util/errors';
export { DISPOSE } from '../util/abort';
