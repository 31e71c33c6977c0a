/** What an adapter reports about itself. */
export type AdapterInfo = Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>;

/** Name of an adapter: description or device, vendor, architecture; empty if it reports none of them. */
export const infoName = ({ description, device, vendor, architecture }: Omit<AdapterInfo, 'isFallbackAdapter'>): string =>
  [description || device, vendor, architecture].filter(Boolean).join(', ');

/** Not all of them are marked as fallback adapters. */
const SOFTWARE_ADAPTERS = /swiftshader|llvmpipe|lavapipe|basic render/i;

/** Whether an adapter with this information computes on the processor. False if the information does not reveal it. */
export const isSoftwareInfo = (info: AdapterInfo): boolean => info.isFallbackAdapter || SOFTWARE_ADAPTERS.test(infoName(info));
