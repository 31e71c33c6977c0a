/** Stages that run on the GPU, in the order of the report. */
export const GPU_STAGES = ['fbank', 'segmentation', 'embedding'] as const;
export type GpuStage = (typeof GPU_STAGES)[number];
