import type { Manifests } from './manifest';

/** Models in this release, and what each is for; their facts are in their manifests. */
export const SHIPPED_MODELS = {
  'segmentation-3.0': 'segmentation',
  'campplus-zh-en': 'embedding',
} as const satisfies Readonly<Record<ShippedModel, keyof Manifests>>;

/** Models whose manifest is in this release, also where their weights are fetched or brought by users. */
export const KNOWN_MODELS = {
  ...SHIPPED_MODELS,
  'wespeaker-resnet34-lm': 'embedding',
} as const satisfies Readonly<Record<string, keyof Manifests>>;

/** Id of a model that comes with this release. */
export type ShippedModel = 'segmentation-3.0' | 'campplus-zh-en';

export const isShipped = (id: string): id is ShippedModel => Object.hasOwn(SHIPPED_MODELS, id);
