// Requests as somebody hostile, or merely careless, would send them: every path of the OpenAPI description with any value in any place,
// statements, connectors, schemas, and bytes that are no HTTP.
import { propertyDefs } from '../../../src/connect/config-def.js';
import { pluginClasses } from '../../../src/connect/plugins.js';
import type { Dice } from '../../support/harness/dice.js';
import { anyStatement } from './statements.js';
import { anyJson, anyName, anyNumber } from './values.js';

export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Of the OpenAPI description, as far as is needed. */
export interface Described {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly parameters?: readonly { readonly name?: string; readonly in?: string }[] }>>
    >
  >;
}

/** The file that a connector may be made of. */
export interface HostileTarget {
  readonly described: Described;
  readonly file: string;
  /** Of servers that say nothing, or no sense. */
  readonly ports: readonly number[];
}

export function anyRequest(dice: Dice, target: HostileTarget): HostileRequest {
  return dice.pick([described, described, described, sql, sql, sql, connector, connector, schema])(dice, target);
}

const json = { 'content-type': 'application/json' };

function described(dice: Dice, { described: { paths } }: HostileTarget): HostileRequest {
  const path = dice.pick(Object.keys(paths));
  const operations = paths[path]!;
  const declared = dice.pick(Object.keys(operations).filter((key) => /^(get|post|put|patch|delete|head)$/.test(key)));
  const method = dice.chance(0.9)
    ? declared.toUpperCase()
    : dice.pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'HEAD']);
  const parameters = operations[declared]?.parameters ?? [];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(wellFormed(dice.chance(0.5) ? known(dice, name) : anyName(dice))).slice(0, 12_000),
  );
  const query = [
    ...parameters.flatMap(({ name, in: where }) =>
      where === 'query' && name !== undefined && dice.chance(0.4) ? [name] : [],
    ),
    ...(dice.chance(0.1) ? [anyName(dice)] : []),
  ].map(
    (name) =>
      `${encodeURIComponent(wellFormed(name)).slice(0, 300)}=${encodeURIComponent(wellFormed(dice.chance(0.5) ? anyNumber(dice) : anyName(dice))).slice(0, 3_000)}`,
  );
  const headers: Record<string, string> = {
    ...(dice.chance(0.9) ? json : { 'content-type': printable(anyName(dice)) }),
  };
  for (const name of ['accept', 'last-event-id', 'if-none-match', 'writethrough-at-least', 'accept-encoding', 'range'])
    if (dice.chance(0.1)) headers[name] = printable(anyName(dice));
  const body = method === 'GET' || method === 'HEAD' ? undefined : anyJson(dice);
  return { method, path: `${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`, headers, body };
}

function known(dice: Dice, parameter: string): string {
  if (/table/i.test(parameter)) return dice.pick(['orders', 'items']);
  if (/topic/i.test(parameter)) return dice.pick(['shop.main.orders', '_schemas']);
  if (/connector|^name$/i.test(parameter)) return dice.pick(['shop', 'hostile']);
  return dice.pick(['1', 'latest', 'orders', 'shop', '0']);
}

function sql(dice: Dice): HostileRequest {
  const path = dice.pick(['/ksql', '/query', '/query-stream', '/ksql']);
  const statement = anyStatement(dice);
  const properties = dice.chance(0.1) ? { [anyName(dice)]: anyName(dice) } : {};
  const body =
    path === '/query-stream' ? { sql: statement, properties } : { ksql: statement, streamsProperties: properties };
  return { method: 'POST', path, headers: json, body: JSON.stringify(body) };
}

function connector(dice: Dice, { file, ports }: HostileTarget): HostileRequest {
  const plugin = dice.pick(pluginClasses);
  const family = plugin.family;
  const config: Record<string, string> = { 'connector.class': plugin.name };
  if (family === 'sqlite' || dice.chance(0.3)) config['database.file'] = dice.chance(0.6) ? file : anyName(dice);
  else
    Object.assign(config, {
      'database.hostname': '127.0.0.1',
      'database.port': String(dice.pick(ports)),
      'database.user': 'u',
      'database.password': 'p',
    });
  config['topic.prefix'] = `h${dice.between(0, 5)}`;
  const defs = propertyDefs[family];
  for (let i = dice.between(0, 4); i > 0; i--) {
    const def = dice.pick(defs);
    config[def.name] =
      def.values !== undefined && dice.chance(0.5)
        ? dice.pick(def.values)
        : dice.chance(0.5)
          ? anyNumber(dice)
          : anyName(dice);
  }
  if (dice.chance(0.15))
    config['table.include.list'] = dice.pick([
      '(((.+)+)+)+!',
      '(a|aa)+$',
      '(?=(a+)+b).*',
      '.*'.repeat(50),
      '((a{99}){99}){99}',
      '[',
      'orders',
    ]);
  if (dice.chance(0.7))
    return {
      method: 'PUT',
      path: `/connector-plugins/${encodeURIComponent(plugin.name)}/config/validate`,
      headers: json,
      body: JSON.stringify(config),
    };
  if (dice.chance(0.3)) return { method: 'DELETE', path: '/connectors/hostile', headers: json, body: undefined };
  return { method: 'PUT', path: '/connectors/hostile/config', headers: json, body: JSON.stringify(config) };
}

function schema(dice: Dice): HostileRequest {
  const count = dice.pick([2, 10, 200, 3_000]);
  const texts: readonly (() => readonly [type: string, text: string])[] = [
    () => [
      'AVRO',
      JSON.stringify(Array.from({ length: count }, (_, i) => ({ type: 'enum', name: `E${i}`, symbols: ['a', 'b'] }))),
    ],
    () => ['AVRO', '{"type":"array","items":'.repeat(count) + '"int"' + '}'.repeat(count)],
    () => [
      'AVRO',
      JSON.stringify({
        type: 'record',
        name: 'R',
        fields: Array.from({ length: count }, (_, i) => ({ name: `f${i}`, type: ['null', 'R'], default: null })),
      }),
    ],
    () => [
      'JSON',
      JSON.stringify({
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`p${i}`, { anyOf: [{ type: 'string' }, { type: 'number' }] }]),
        ),
      }),
    ],
    () => ['JSON', '{"not":'.repeat(count) + '{}' + '}'.repeat(count)],
    () => ['PROTOBUF', `syntax = "proto3"; ${'message M { '.repeat(count)}${'}'.repeat(count)}`],
    () => [
      'PROTOBUF',
      `syntax = "proto3"; message M { ${Array.from({ length: count }, (_, i) => `string f${i} = ${i + 1};`).join(' ')} }`,
    ],
    () => [dice.pick(['AVRO', 'JSON', 'PROTOBUF']), anyJson(dice)],
  ];
  const [schemaType, text] = dice.pick(texts)();
  const subject = `hostile-${dice.between(0, 3)}`;
  const path = dice.pick([
    `/subjects/${subject}/versions`,
    `/subjects/${subject}`,
    `/compatibility/subjects/${subject}/versions/latest`,
  ]);
  return { method: 'POST', path, headers: json, body: JSON.stringify({ schema: text, schemaType }) };
}

/** A lone surrogate cannot be percent-encoded. */
function wellFormed(text: string): string {
  return text.replaceAll(/[\ud800-\udfff]/gu, '\ufffd');
}

/** What a header may hold. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 4_000);
}

/** Bytes that are no request, or only the beginning of one. */
export function anyBytes(dice: Dice): Buffer {
  return dice.pick([
    () => Buffer.from(Array.from({ length: dice.pick([1, 100, 5_000]) }, () => dice.between(0, 255))),
    () => Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n'),
    () => Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(5_000)}\r\n`),
    () => Buffer.from(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
    () => Buffer.from('POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n{'),
    () => Buffer.from('POST /ksql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n{'),
    () =>
      Buffer.from(
        'POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    () =>
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from(Array.from({ length: 200 }, () => dice.between(0, 255))),
      ]),
    () => Buffer.from('GET /v1/tables/orders/rows/1 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500)),
    () => Buffer.from('\u0016\u0003\u0001\u0002\u0000'),
  ])();
}
