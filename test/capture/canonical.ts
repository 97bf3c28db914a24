// One canonical text per value, where what is served and what the server says of itself meet. Each form reads both sides: bytes as the
// server's SELECT gives them, and JSON as /v1 answers it. Written for the comparison alone: it knows the documents and shares nothing
// with the program. A served value of a wrong JSON type becomes a text that equals none of the server's.
import { canonicalJson } from './exact-document.js';

export type Cell = string | null;

export interface Form {
  /** What the server's bytes mean; never called for NULL. */
  readonly source: (bytes: Buffer) => string;
  readonly served: (value: unknown) => string;
}

export const misread = (value: unknown): string => `(served as JSON) ${JSON.stringify(value)}`;

const utf8 = (bytes: Buffer): string => bytes.toString('utf8');

function ofText(canonical: (text: string) => string): Form['served'] {
  return (value) => (typeof value === 'string' ? canonical(value) : misread(value));
}

export const text: Form = { source: utf8, served: ofText((value) => value) };

/** Numbers that JSON holds exactly are literals, wider ones are strings. `String` would lose the sign of -0. */
function ofNumber(canonical: (text: string) => string): Form['served'] {
  return (value) => {
    if (typeof value === 'number') return canonical(Object.is(value, -0) ? '-0' : String(value));
    return typeof value === 'string' && value !== '' ? canonical(value) : misread(value);
  };
}

/** ZEROFILL shows zeros in front that are no part of the value; what is no number stays as it is. */
function plainNumber(value: string): string {
  const [, sign = '', digits = '', rest = ''] = /^(-?)0*(\d+)(\.\d+)?$/.exec(value) ?? [];
  return digits === '' ? value : `${sign}${digits}${rest}`;
}

export const whole: Form = { source: (found) => plainNumber(utf8(found)), served: ofNumber(plainNumber) };

/** With its scale: 1.5 and 1.50 are different answers. */
export const decimal: Form = whole;

function numberText(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number);
}

const doubleText = (value: string): string => numberText(Number(value));

export const double: Form = { source: (found) => doubleText(utf8(found)), served: ofNumber(doubleText) };

/** Both sides are taken back to the four bytes. */
const floatText = (value: string): string => numberText(Math.fround(Number(value)));

export const float: Form = { source: (found) => floatText(utf8(found)), served: ofNumber(floatText) };

export const bytes: Form = {
  source: (found) => found.toString('hex'),
  served: ofText((value) => {
    const decoded = Buffer.from(value, 'base64');
    return decoded.toString('base64') === value ? decoded.toString('hex') : misread(value);
  }),
};

/** BIT(n) is asked for as a number; it is served as its bytes, BIT(1) as a boolean. */
export function bits(width: number): Form {
  if (width === 1) {
    return {
      source: (found) => String(utf8(found) === '1'),
      served: (value) => (typeof value === 'boolean' ? String(value) : misread(value)),
    };
  }
  const digits = Math.ceil(width / 8) * 2;
  return { source: (found) => BigInt(utf8(found)).toString(16).padStart(digits, '0'), served: bytes.served };
}

/** Digits behind the second are as many as the column has on one side, and at least three on the other. */
function withoutZeros(value: string): string {
  return value.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

export const date: Form = text;
export const time: Form = { source: (found) => withoutZeros(utf8(found)), served: ofText(withoutZeros) };
export const datetime: Form = {
  source: (found) => withoutZeros(utf8(found).replace(' ', 'T')),
  served: ofText((value) => withoutZeros(value.replace(' ', 'T').replace(/Z$/, ''))),
};

export const json: Form = { source: (found) => jsonText(utf8(found)), served: ofText(jsonText) };

function jsonText(value: string): string {
  try {
    return canonicalJson(value);
  } catch {
    return value; // MariaDB lets a JSON column hold what is none while its check is off
  }
}

/** `srid:wkb`, from the server's own four bytes in front, and from a STRUCT of the two or bare WKB. */
export const geometry: Form = {
  source: (found) => `${found.readUInt32LE(0)}:${found.subarray(4).toString('hex')}`,
  served: (value) => {
    if (typeof value === 'string') return `0:${bytes.served(value)}`;
    if (typeof value !== 'object' || value === null) return misread(value);
    const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field as unknown]));
    const wkb = fields.get('wkb');
    return wkb === undefined ? misread(value) : `${Number(fields.get('srid') ?? 0)}:${bytes.served(wkb)}`;
  },
};

export const vector: Form = {
  source: (found) => Array.from({ length: found.length / 4 }, (_, i) => numberText(found.readFloatLE(i * 4))).join(),
  served: (value) =>
    Array.isArray(value)
      ? value.map((item) => floatText(String(item))).join()
      : typeof value === 'string'
        ? vector.source(Buffer.from(value, 'base64'))
        : misread(value),
};

export function cellOf(form: Form, value: unknown): Cell {
  return value === null ? null : form.served(value);
}
