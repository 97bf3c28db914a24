// What one property of a connector is here: implemented, accepted (it cannot matter here; `doc` says why) or refused (`doc` says why,
// `way` what to do instead). The tables of them stand in the other files of this folder, by whose property it is.

export type PropertyUse = 'implemented' | 'accepted' | 'refused';

export interface PropertyDef {
  readonly name: string;
  readonly type: 'STRING' | 'INT' | 'LONG' | 'BOOLEAN' | 'LIST' | 'PASSWORD';
  readonly use: PropertyUse;
  readonly default?: string;
  readonly required?: boolean;
  readonly values?: readonly string[];
  /** Other spellings of values, in small letters. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** Of an implemented property: values that exist elsewhere and do not here, each with the reason. */
  readonly refusedValues?: Readonly<Record<string, string>>;
  /** Values that are taken as another one, with the note that says so. */
  readonly notedValues?: Readonly<Record<string, string>>;
  /** Of a number. */
  readonly min?: number;
  readonly max?: number;
  /** Of a refused property: values that ask for nothing we do not do. */
  readonly harmless?: readonly string[];
  /** Of a refused property: what to do instead. */
  readonly way?: string;
  /** A part of names of topics. */
  readonly ofTopics?: boolean;
  /** A list of regular expressions. */
  readonly patterns?: boolean;
  readonly aliases?: readonly string[];
  readonly group: string;
  readonly doc: string;
}

/** Properties of any name behind a prefix, or with a part of their own inside. */
export interface PropertyFamily {
  /** As the documentation shows it, `*` for what may stand there. */
  readonly name: string;
  readonly pattern: RegExp;
  /** Implemented: where the name has the form that `doc` tells. */
  readonly use: PropertyUse;
  readonly doc: string;
  readonly way?: string;
  /** It matters to who reads, though not to what is kept: a warning instead of a note. */
  readonly warns?: boolean;
}

export type Rest = Partial<Omit<PropertyDef, 'name' | 'use' | 'group' | 'doc'>>;
type Define = (name: string, doc: string, rest?: Rest) => PropertyDef;

/** Makers of the properties of one group. */
export function group(name: string): {
  readonly implemented: Define;
  readonly accepted: Define;
  readonly refused: (name: string, doc: string, harmless: readonly string[], rest?: Rest) => PropertyDef;
} {
  const define =
    (use: PropertyUse): Define =>
    (property, doc, rest = {}) => ({ type: 'STRING', ...rest, name: property, use, group: name, doc });
  return {
    implemented: define('implemented'),
    accepted: define('accepted'),
    refused: (property, doc, harmless, rest = {}) => define('refused')(property, doc, { ...rest, harmless }),
  };
}

export function family(
  name: string,
  use: PropertyFamily['use'],
  doc: string,
  rest: { readonly way?: string; readonly warns?: boolean } = {},
): PropertyFamily {
  const text = name.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.+');
  return { name, pattern: new RegExp(`^${text}$`), use, doc, ...rest };
}

export const truth = { type: 'BOOLEAN', values: ['true', 'false'] } as const satisfies Rest;
export const whole = { type: 'INT' } as const satisfies Rest;
export const long = { type: 'LONG' } as const satisfies Rest;
export const patterns = { type: 'LIST', patterns: true } as const satisfies Rest;
