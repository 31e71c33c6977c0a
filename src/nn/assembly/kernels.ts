export { foldTaps, leakyRelu, maxPool, scaleShiftLeaky, subtractRow } from './rows';
export { gemm } from './gemm';
export { gemmInt16, quantizeRows } from './int16';
export { lstm } from './lstm';
export { lstmInt16 } from './lstmInt16';
export { gate, scaleShiftRelu, segmentSums, squaredDeviations } from './rows';
export { fromWinograd, toWinograd } from './winograd';
