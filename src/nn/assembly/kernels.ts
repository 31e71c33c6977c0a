export { foldTaps, leakyRelu, maxPool, scaleShiftLeaky, subtractRow } from './rows';
export { gemm } from './gemm';
export { lstm } from './lstm';
export { gate, scaleShiftRelu, segmentSums, squaredDeviations } from './rows';
export { fromWinograd, toWinograd } from './winograd';
