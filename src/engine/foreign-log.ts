// A data folder follows one log. Its rows mean nothing against another one, so they are never mixed.
import { AppError } from '../core/errors.js';

export function foreignLog(folder: string, log: string): AppError {
  return new AppError('log-foreign', `the data folder ${folder} follows another log than ${log}`, {
    hint: 'give each stream a data folder of its own (--data); the tables are built again from the log or the source',
  });
}
