// Another implementation of Protobuf, as the judge of ours: protobufjs, which reads the text of our schemas itself. It is loaded by name, so
// nothing but the laws that ask it needs it.
import { decimalText } from '../../src/core/decimal.js';
import { civilDate } from '../../src/core/calendar.js';
import type { DataType, StructField, Value } from '../../src/core/data-type.js';
import { protobufNames } from '../../src/schema/formats/protobuf-names.js';
import { wellKnownFiles } from '../../src/schema/protobuf/well-known.js';

interface Library {
  readonly Root: new () => Root;
  readonly parse: (text: string, root: Root, options: { readonly keepCase: boolean }) => unknown;
  readonly util: { readonly Long: { readonly fromString: (text: string) => unknown } };
}
interface Root {
  resolveAll(): Root;
  lookupType(name: string): JudgeType;
}
export interface JudgeType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

const name = 'protobufjs';
const library = (await import(name)) as { readonly default?: Library } & Library;
const { Root, parse, util } = library.default ?? library;

/** Throws where the judge takes the text for none. */
export function judgeType(text: string, message: string): JudgeType {
  const root = new Root();
  // What extends options is nothing on the wire.
  for (const [path, known] of Object.entries(wellKnownFiles))
    if (text.includes(`"${path}"`) && !known.includes('extend')) parse(known, root, { keepCase: true });
  parse(text, root, { keepCase: true });
  return root.resolveAll().lookupType(message);
}

/** Of a row what the judge wants to encode. */
export function judgeMessage(fields: readonly StructField[], values: readonly Value[]): Record<string, unknown> {
  const names = protobufNames(fields.map((field) => field.name));
  const message: Record<string, unknown> = {};
  fields.forEach(({ type }, i) => {
    const value = values[i]!;
    if (value !== null) message[names[i]!] = judgeValue(type, value);
  });
  return message;
}

function judgeValue(type: DataType, value: Exclude<Value, null>): unknown {
  switch (type.kind) {
    case 'BIGINT':
      return long(value as number | bigint);
    case 'DECIMAL': {
      const unscaled = BigInt(value as number | bigint);
      const digits = decimalText(unscaled, 0).replace('-', '').length;
      return present({ value: twosComplement(unscaled), precision: digits, scale: type.scale });
    }
    case 'DATE': {
      const { year, month, day } = civilDate(value as number);
      return present({ year, month, day });
    }
    case 'TIME': {
      const micros = value as number;
      const seconds = Math.floor(micros / 1_000_000);
      return present({
        hours: Math.floor(seconds / 3600),
        minutes: Math.floor(seconds / 60) % 60,
        seconds: seconds % 60,
        nanos: (micros % 1_000_000) * 1000,
      });
    }
    case 'TIMESTAMP': {
      const micros = BigInt(value as number | bigint);
      const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
      const seconds = (micros - rest) / 1_000_000n;
      return present({ seconds: seconds === 0n ? 0 : long(seconds), nanos: Number(rest) * 1000 });
    }
    case 'ARRAY':
      return (value as readonly Exclude<Value, null>[]).map((item) => judgeValue(type.element, item));
    case 'MAP': {
      const entries = [...(value as ReadonlyMap<string, Exclude<Value, null>>)];
      return Object.fromEntries(entries.map(([key, item]) => [key, judgeValue(type.value, item)]));
    }
    case 'STRUCT':
      return judgeMessage(type.fields, value as readonly Value[]);
    default:
      return value;
  }
}

const long = (value: number | bigint): unknown => util.Long.fromString(value.toString());

/** What is the default is left out. */
function present(message: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== 0));
}

/** The fewest bytes, found by trying. */
function twosComplement(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(8 * size, value) !== value) size++;
  return Buffer.from(
    BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0'),
    'hex',
  );
}

/** The value with its maps in the order of an object's keys, which is all that the judge knows. */
export function inJudgeOrder(type: DataType, value: Value): Value {
  if (value === null) return null;
  switch (type.kind) {
    case 'ARRAY':
      return (value as readonly Value[]).map((item) => inJudgeOrder(type.element, item));
    case 'MAP': {
      const entries = Object.entries(Object.fromEntries(value as ReadonlyMap<string, Value>));
      return new Map(entries.map(([key, item]) => [key, inJudgeOrder(type.value, item)]));
    }
    case 'STRUCT':
      return type.fields.map((field, i) => inJudgeOrder(field.type, (value as readonly Value[])[i]!));
    default:
      return value;
  }
}
