/** Names of axes along which a layer has weights of its own, so that an export may mix up their order or scale. */
export const CHANNELS: readonly string[] = ['channel', 'class', 'mel'];

/** Names of axes that are not channels, whatever their size. */
export const NO_CHANNELS: readonly string[] = ['batch', 'frame', 'sample'];
