import type { LoadRequest } from './contracts';

/** The user's file with its name, for errors and notes; undefined if there is none. */
export const namedFile = ({ modelFile, modelName }: Pick<LoadRequest, 'modelFile' | 'modelName'>): Blob | undefined =>
  modelFile === undefined || modelName === undefined || modelFile instanceof File ? modelFile : new File([modelFile], modelName);
