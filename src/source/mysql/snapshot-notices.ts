// What has to be told of tables at the next border between transactions: that they are called to be read again, or cannot be captured any
// more.
import type { AppendControl } from '../../core/append-control.js';
import { toErrorMessage, type AppError } from '../../core/errors.js';

export class SnapshotNotices {
  #called = new Map<string, string>();
  #failed: { readonly table: string; readonly error: AppError }[] = [];

  called(table: string, cause: string): void {
    this.#called.set(table, cause);
  }

  failed(table: string, error: AppError): void {
    this.#failed.push({ table, error });
  }

  get allTold(): boolean {
    return this.#called.size === 0 && this.#failed.length === 0;
  }

  take(connector: string): readonly AppendControl[] {
    const tables = [...this.#called].map(([table, cause]) => ({ table, cause }));
    const failed = this.#failed.map(({ table, error }): AppendControl => ({
      kind: 'table-failed',
      connector,
      table,
      error: toErrorMessage(error),
    }));
    this.#called.clear();
    this.#failed = [];
    return tables.length === 0 ? failed : [{ kind: 'tables-called', connector, tables }, ...failed];
  }
}
