export { foldTaps, leakyRelu, maxPool, scaledMaxPool, scaleShiftLeaky, subtractRow } from './rows';
export { gemm } from './gemm';
export { lstm } from './lstm';
export { gate, scaleShiftRelu, segmentSums, squaredDeviations } from './rows';
export { fromWinograd, toWinograd } from './winograd';
