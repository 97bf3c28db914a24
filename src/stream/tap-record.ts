// What a record that was tapped takes, for pages of bounded size.
import type { TapRecord } from './event-log.js';

export function tapRecordBytes({ key, value, headers }: TapRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) bytes += name.length + headers[name]!.length;
  return bytes;
}
