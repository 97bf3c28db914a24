// Reads a connector file: a flat map of properties, or `{name, config, offsets}` as Kafka Connect's REST and the newer CLIs have it.
import { readFile } from 'node:fs/promises';
import type { ConnectorOffset } from '../connect/connect-facade.js';
import { AppError, toAppError } from '../core/errors.js';
import { parseOffsets } from '../server/offsets-body.js';

export interface ConnectorFile {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  /** Where it begins. */
  readonly offsets?: readonly ConnectorOffset[];
}

export async function readConnectorFile(file: string): Promise<ConnectorFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new AppError('bad-connector-config', `cannot read the connector file ${file}`, {
      detail: cause instanceof Error ? cause.message : undefined,
      cause,
    });
  }
  return parseConnectorFile(text, file);
}

export function parseConnectorFile(text: string, file: string): ConnectorFile {
  const fail = (message: string, hint?: string) =>
    new AppError('bad-connector-config', message, { place: { file }, hint });
  if (text.trim() === '') throw fail('the connector file is empty');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-connector-config', 'the connector file is not valid JSON', {
      detail: cause instanceof Error ? cause.message : undefined,
      place: { file },
      cause,
    });
  }
  if (!isObject(parsed)) throw fail('the connector file must hold a JSON object');
  const nested = isObject(parsed['config']);
  const properties = nested ? (parsed['config'] as Record<string, unknown>) : parsed;
  if (nested) {
    const unknown = Object.keys(parsed).find((key) => key !== 'name' && key !== 'config' && key !== 'offsets');
    if (unknown !== undefined)
      throw fail(`"${unknown}" beside "name" and "config" is not known`, 'put properties inside "config"');
  }
  if (Object.keys(properties).length === 0) throw fail('the connector file has no properties');
  const config: Record<string, string> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value !== 'string')
      throw fail(`only string values are permitted: "${key}" is not one`, `write it in quotes: "${key}": "..."`);
    config[key] = value;
  }
  const name = (nested ? parsed['name'] : undefined) ?? config['name'];
  if (typeof name !== 'string' || name.trim() === '') throw fail('the connector file has no "name"');
  if (config['name'] !== undefined && config['name'] !== name) {
    throw fail(`the file names the connector both "${name}" and "${config['name']}"`);
  }
  if (config['connector.class'] === undefined) {
    throw fail('the connector file has no "connector.class"', 'for example "connector.class": "MySqlCdcSource"');
  }
  const given = nested ? parsed['offsets'] : undefined;
  const offsets = Array.isArray(given) && given.length === 0 ? undefined : given;
  return { name, config, ...(offsets !== undefined && { offsets: offsetsOf(offsets, file) }) };
}

function offsetsOf(given: unknown, file: string): readonly ConnectorOffset[] {
  try {
    return parseOffsets(given, 'offsets');
  } catch (cause) {
    const { message, hint } = toAppError(cause);
    throw new AppError('bad-connector-config', message, { place: { file }, hint, cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
