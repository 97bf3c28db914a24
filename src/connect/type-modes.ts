// Debezium's handling modes of types. What a mode loses, it loses only where it is asked for.
import { exactTypes, type TypeModes } from './output-settings.js';
import type { PluginClass } from './plugins.js';

export function typeModes({ times, zoned }: PluginClass, values: ReadonlyMap<string, string>): TypeModes {
  const mode = <K extends keyof TypeModes>(kind: K, property: string): TypeModes[K] =>
    (values.get(property) ?? exactTypes[kind]) as TypeModes[K];
  return {
    decimal: mode('decimal', 'decimal.handling.mode'),
    binary: mode('binary', 'binary.handling.mode'),
    time: (values.get('time.precision.mode') ?? times) as TypeModes['time'],
    unsigned: mode('unsigned', 'bigint.unsigned.handling.mode'),
    zoned,
  };
}
