// An error that the Schema Registry knows by a number of its own, where our code alone would not tell which.
import { AppError, type AppErrorOptions, type ErrorCode } from '../core/errors.js';

export class RegistryError extends AppError {
  readonly errorNumber: number;

  constructor(errorNumber: number, code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(code, message, options);
    this.errorNumber = errorNumber;
  }
}
