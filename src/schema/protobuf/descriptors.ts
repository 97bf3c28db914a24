// Protobuf files with their names resolved: the messages that records are read by and compared with. Linking refuses a name that nothing
// defines and an import that nobody gives, so a schema that links can be read.
import { AppError } from '../../core/errors.js';
import { Effort } from '../effort.js';
import {
  isScalar,
  type ProtoEnum,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ScalarType,
} from './proto-file.js';
import { parseProto } from './proto-parser.js';
import { wellKnownFiles } from './well-known.js';

export interface MessageType {
  readonly kind: 'message';
  readonly fullName: string;
  /** The path of the file that defines it; undefined: the schema itself. */
  readonly file: string | undefined;
  /** Empty for the file's own. */
  readonly package: string;
  readonly source: ProtoMessage;
  /** Filled after the message exists, since it may contain itself. */
  readonly fields: FieldType[];
  /** In the order of message indexes. */
  readonly messages: MessageType[];
}

export interface EnumType {
  readonly kind: 'enum';
  readonly fullName: string;
  readonly names: ReadonlyMap<number, string>;
}

export interface Scalar {
  readonly kind: 'scalar';
  readonly scalar: ScalarType;
}

export type ValueType = Scalar | EnumType | MessageType;

export interface FieldType {
  readonly name: string;
  readonly number: number;
  readonly source: ProtoField;
  readonly repeated: boolean;
  /** A value that is not there is known from one that is the default. */
  readonly presence: boolean;
  /** Of a map its values'. */
  readonly type: ValueType;
  readonly mapKey: ScalarType | undefined;
  readonly group: boolean;
  readonly oneof: string | undefined;
}

export interface LinkedFile {
  readonly file: ProtoFile;
  /** In the order of message indexes. */
  readonly messages: readonly MessageType[];
  /** Messages and enums by their full names, those of imported files, too. */
  readonly types: ReadonlyMap<string, MessageType | EnumType>;
}

/** The text of an imported file; undefined: nobody gives it. Well-known files are not asked for. */
export type ImportText = (path: string) => string | undefined;

export const noImports: ImportText = () => undefined;

/** Throws invalid-schema. `effort` bounds what is not registered yet. */
export function linkProto(
  text: string,
  imports: ImportText = noImports,
  effort: Effort = Effort.unbounded(),
): LinkedFile {
  return new Linker(imports, effort).link(text);
}

class Linker {
  readonly #imports: ImportText;
  readonly #effort: Effort;
  readonly #types = new Map<string, MessageType | EnumType>();
  readonly #loaded = new Set<string>();
  readonly #pending: (() => void)[] = [];

  constructor(imports: ImportText, effort: Effort) {
    this.#imports = imports;
    this.#effort = effort;
  }

  link(text: string): LinkedFile {
    const file = this.#parse(text);
    const messages = this.#load(file, undefined);
    for (const resolve of this.#pending) resolve();
    return { file, messages, types: this.#types };
  }

  #parse(text: string): ProtoFile {
    this.#effort.spendText(text);
    return parseProto(text);
  }

  #load(file: ProtoFile, path: string | undefined): readonly MessageType[] {
    for (const { path: imported } of file.imports) {
      if (this.#loaded.has(imported)) continue;
      this.#loaded.add(imported);
      const text = wellKnownFiles[imported] ?? this.#imports(imported);
      if (text === undefined) {
        throw invalid(
          `nothing gives the import "${imported}"`,
          'name it in "references", with its subject and version',
        );
      }
      this.#load(this.#parse(text), imported);
    }
    const scope = file.package ?? '';
    const proto3 = file.syntax === 'proto3';
    for (const each of file.enums) this.#enum(each, scope);
    const messages = file.messages.map((each) => this.#message(each, scope, { path, package: scope, proto3 }));
    this.#pending.push(() => {
      for (const { of, fields } of file.extends) {
        this.#resolve(of, scope, `the extension of ${of}`);
        for (const field of fields) this.#typeOf(field, scope, `the extension ${field.name}`);
      }
      for (const { name, methods } of file.services)
        for (const { name: method, input, output } of methods)
          for (const { type } of [input, output]) this.#resolve(type, scope, `method ${name}.${method}`);
    });
    return messages;
  }

  #message(source: ProtoMessage, scope: string, file: FileFacts): MessageType {
    const fullName = within(scope, source.name);
    const fields: FieldType[] = [];
    const messages: MessageType[] = [];
    const message: MessageType = {
      kind: 'message',
      fullName,
      file: file.path,
      package: file.package,
      source,
      fields,
      messages,
    };
    this.#define(message);
    for (const each of source.enums) this.#enum(each, fullName);
    for (const each of source.messages) messages.push(this.#message(each, fullName, file));
    const groups = [...source.fields, ...source.oneofs.flatMap((oneof) => oneof.fields)].flatMap(
      ({ group }) => group ?? [],
    );
    for (const group of groups) messages.push(this.#message(group, fullName, file));
    this.#pending.push(() => {
      const take = (field: ProtoField, oneof: string | undefined) =>
        fields.push(this.#field(field, oneof, fullName, file.proto3));
      for (const field of source.fields) take(field, undefined);
      for (const { name, fields: members } of source.oneofs) for (const field of members) take(field, name);
      for (const { of, fields: extensions } of source.extends) {
        this.#resolve(of, fullName, `the extension of ${of}`);
        for (const field of extensions) this.#typeOf(field, fullName, `the extension ${field.name}`);
      }
    });
    return message;
  }

  #field(source: ProtoField, oneof: string | undefined, scope: string, proto3: boolean): FieldType {
    const { name, number, label, mapKey, group } = source;
    const type = this.#typeOf(source, scope, `field ${name} of ${scope}`);
    const repeated = label === 'repeated' || mapKey !== undefined;
    return {
      name,
      number,
      source,
      repeated,
      presence: !repeated && (!proto3 || label === 'optional' || oneof !== undefined || type.kind === 'message'),
      type,
      mapKey: mapKey as ScalarType | undefined,
      group: group !== undefined,
      oneof,
    };
  }

  #typeOf({ type }: ProtoField, scope: string, where: string): ValueType {
    return isScalar(type) ? { kind: 'scalar', scalar: type } : this.#resolve(type, scope, where);
  }

  /** A name with a dot in front is whole; any other is looked for from the innermost scope outwards. */
  #resolve(name: string, scope: string, where: string): MessageType | EnumType {
    if (name.startsWith('.')) {
      const found = this.#types.get(name.slice(1));
      if (found) return found;
    } else {
      for (let at = scope; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
        const candidate = within(at, name);
        this.#effort.spendText(candidate);
        const found = this.#types.get(candidate);
        if (found) return found;
        if (at === '') break;
      }
    }
    throw invalid(`${where} has the type ${name}, which nothing defines`);
  }

  #enum({ name, values }: ProtoEnum, scope: string): void {
    const names = new Map<number, string>();
    // Where two names have one number, the first is the one that is written.
    for (const value of values) if (!names.has(value.number)) names.set(value.number, value.name);
    this.#define({ kind: 'enum', fullName: within(scope, name), names });
  }

  #define(type: MessageType | EnumType): void {
    if (this.#types.has(type.fullName)) throw invalid(`${type.fullName} is defined twice`);
    this.#types.set(type.fullName, type);
  }
}

interface FileFacts {
  readonly path: string | undefined;
  readonly package: string;
  readonly proto3: boolean;
}

function within(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

function invalid(detail: string, hint?: string): AppError {
  return new AppError('invalid-schema', 'the Protobuf schema is not valid', { detail, hint });
}
