import type { LoadRequest } from './contracts';

/** Restores the name of the user's file, for errors and notes. @returns undefined if the user brought no file */
export const namedFile = ({ modelFile, modelName }: Pick<LoadRequest, 'modelFile' | 'modelName'>): Blob | undefined =>
  modelFile === undefined || modelName === undefined || modelFile instanceof File ? modelFile : new File([modelFile], modelName);
