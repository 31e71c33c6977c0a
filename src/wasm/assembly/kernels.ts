export { gemm } from './gemm';
export { gate, scaleShiftRelu, segmentSums, squaredDeviations } from './rows';
export { fromWinograd, toWinograd } from './winograd';
