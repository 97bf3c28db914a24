// The text of a .proto file (proto2 or proto3) as its parts. What one file alone can tell to be wrong is refused here, with line and column:
// numbers and names that are used twice or reserved, what a syntax does not have. Names of types are resolved in descriptors.ts.
import { parseOption, parseOptionList } from './proto-option-parser.js';
import {
  allFields,
  numberMax,
  type MethodType,
  type ProtoEnum,
  type ProtoEnumValue,
  type ProtoExtend,
  type ProtoExtensionRange,
  type ProtoField,
  type ProtoFile,
  type ProtoImport,
  type ProtoMessage,
  type ProtoMethod,
  type ProtoOneof,
  type ProtoOption,
  type ProtoService,
  type ReservedItem,
} from './proto-file.js';
import { ProtoLexer } from './proto-lexer.js';

/** As deep as protoc takes messages in messages. */
const depthMax = 32;
/** Values of an enum have 32 bits. */
const enumMax = 0x7fff_ffff;
const labels = ['optional', 'required', 'repeated'] as const;
const mapKeys = 'int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string'.split(' ');

/** Throws invalid-schema. */
export function parseProto(text: string): ProtoFile {
  return new ProtoParser(text).file();
}

class ProtoParser {
  readonly #in: ProtoLexer;
  #syntax: ProtoFile['syntax'];

  constructor(text: string) {
    this.#in = new ProtoLexer(text);
  }

  file(): ProtoFile {
    const lexer = this.#in;
    this.#syntax = this.#readSyntax();
    let ownPackage: string | undefined;
    const imports: ProtoImport[] = [];
    const options: ProtoOption[] = [];
    const messages: ProtoMessage[] = [];
    const enums: ProtoEnum[] = [];
    const extensions: ProtoExtend[] = [];
    const services: ProtoService[] = [];
    while (lexer.next.kind !== 'end') {
      if (lexer.takeIf(';')) continue;
      const { at } = lexer.next;
      switch (lexer.name('a definition')) {
        case 'package':
          if (ownPackage !== undefined) lexer.fail('a second package', at);
          ownPackage = lexer.path('the name of a package');
          lexer.expect(';');
          break;
        case 'import': {
          const kind = lexer.takeIf('public') ? 'public' : lexer.takeIf('weak') ? 'weak' : 'plain';
          imports.push({ path: lexer.text('the name of a file'), kind });
          lexer.expect(';');
          break;
        }
        case 'option':
          options.push(parseOption(lexer));
          lexer.expect(';');
          break;
        case 'message':
          messages.push(this.#message(lexer.name('the name of a message'), 0));
          break;
        case 'enum':
          enums.push(this.#enum());
          break;
        case 'extend':
          extensions.push(this.#extend(0));
          break;
        case 'service':
          services.push(this.#service());
          break;
        default:
          lexer.fail('no definition begins like this', at);
      }
    }
    this.#unique([...messages, ...enums, ...services], 'the file');
    return {
      syntax: this.#syntax,
      package: ownPackage,
      imports,
      options,
      messages,
      enums,
      extends: extensions,
      services,
    };
  }

  #readSyntax(): ProtoFile['syntax'] {
    const lexer = this.#in;
    if (!lexer.takeIf('syntax')) return undefined;
    lexer.expect('=');
    const { at } = lexer.next;
    const text = lexer.text('"proto3" or "proto2"');
    const syntax = (['proto2', 'proto3'] as const).find((known) => known === text);
    if (syntax === undefined) lexer.fail(`the syntax is "proto3" or "proto2", not "${text}"`, at);
    lexer.expect(';');
    return syntax;
  }

  #message(name: string, depth: number): ProtoMessage {
    const lexer = this.#in;
    const { at } = lexer.next;
    if (depth > depthMax) lexer.fail(`messages are nested deeper than ${depthMax}`);
    const reserved: (readonly ReservedItem[])[] = [];
    const options: ProtoOption[] = [];
    const fields: ProtoField[] = [];
    const oneofs: ProtoOneof[] = [];
    const extensionRanges: ProtoExtensionRange[] = [];
    const messages: ProtoMessage[] = [];
    const enums: ProtoEnum[] = [];
    const extensions: ProtoExtend[] = [];
    lexer.expect('{');
    while (!lexer.takeIf('}')) {
      if (lexer.takeIf(';')) continue;
      // A field's type may have the name of any of these words, and is then followed by another name all the same: only what
      // protoc takes for the word is one.
      if (lexer.takeIf('message')) messages.push(this.#message(lexer.name('the name of a message'), depth + 1));
      else if (lexer.takeIf('enum')) enums.push(this.#enum());
      else if (lexer.takeIf('extend')) extensions.push(this.#extend(depth));
      else if (lexer.takeIf('oneof')) oneofs.push(this.#oneof(depth));
      else if (lexer.takeIf('reserved')) reserved.push(this.#reserved(numberMax));
      else if (lexer.takeIf('extensions')) extensionRanges.push(this.#extensionRange());
      else if (lexer.takeIf('option')) {
        options.push(parseOption(lexer));
        lexer.expect(';');
      } else fields.push(this.#field({ inOneof: false, depth }));
    }
    const message = { name, reserved, options, fields, oneofs, extensionRanges, messages, enums, extends: extensions };
    this.#checkFields(message, at);
    return message;
  }

  #field({ inOneof, depth }: { readonly inOneof: boolean; readonly depth: number }): ProtoField {
    const lexer = this.#in;
    const { at } = lexer.next;
    const label = labels.find((each) => lexer.takeIf(each));
    if (inOneof && label !== undefined) lexer.fail('a field of a oneof has no label', at);
    if (this.#syntax === 'proto3' && label === 'required') lexer.fail('proto3 has no required fields', at);
    if (lexer.takeIf('group')) return this.#group(label, inOneof, depth, at);
    const type = lexer.path('the type of a field', true);
    let mapKey: string | undefined;
    let valueType = type;
    if (type === 'map' && lexer.takeIf('<')) {
      if (label !== undefined || inOneof) lexer.fail('a map has no label and is in no oneof', at);
      mapKey = lexer.name('the type of keys');
      if (!mapKeys.includes(mapKey)) lexer.fail(`a map has no keys of type ${mapKey}`, at);
      lexer.expect(',');
      valueType = lexer.path('the type of values', true);
      lexer.expect('>');
    } else if (label === undefined && !inOneof && this.#syntax !== 'proto3') {
      lexer.fail('proto2 wants required, optional or repeated in front of a field', at);
    }
    const name = lexer.name('the name of a field');
    const number = this.#number();
    const options = parseOptionList(lexer);
    if (this.#syntax === 'proto3' && options.some((option) => option.name === 'default'))
      lexer.fail('proto3 has no defaults of fields', at);
    lexer.expect(';');
    return { label, type: valueType, mapKey, name, number, options, group: undefined };
  }

  #group(label: ProtoField['label'], inOneof: boolean, depth: number, at: number): ProtoField {
    const lexer = this.#in;
    if (this.#syntax === 'proto3') lexer.fail('proto3 has no groups', at);
    if (label === undefined && !inOneof)
      lexer.fail('proto2 wants required, optional or repeated in front of a field', at);
    const type = lexer.name('the name of a group');
    if (!/^[A-Z]/.test(type)) lexer.fail('the name of a group begins with a capital letter', at);
    const number = this.#number();
    const options = parseOptionList(lexer);
    const group = this.#message(type, depth + 1);
    return { label, type, mapKey: undefined, name: type.toLowerCase(), number, options, group };
  }

  #number(): number {
    const lexer = this.#in;
    lexer.expect('=');
    const { at } = lexer.next;
    const number = lexer.integer('the number of a field');
    if (number < 1 || number > numberMax) lexer.fail(`the number of a field is from 1 to ${numberMax}`, at);
    if (number >= 19_000 && number <= 19_999)
      lexer.fail('numbers from 19000 to 19999 are kept for Protobuf itself', at);
    return number;
  }

  #oneof(depth: number): ProtoOneof {
    const lexer = this.#in;
    const name = lexer.name('the name of a oneof');
    const fields: ProtoField[] = [];
    const options = this.#body(() => fields.push(this.#field({ inOneof: true, depth })));
    if (fields.length === 0) lexer.fail(`oneof ${name} has no field`);
    return { name, options, fields };
  }

  /** What stands in braces: options, which it gives, and what `item` reads. */
  #body(item: () => void): ProtoOption[] {
    const lexer = this.#in;
    const options: ProtoOption[] = [];
    lexer.expect('{');
    while (!lexer.takeIf('}')) {
      if (lexer.takeIf(';')) continue;
      if (lexer.takeIf('option')) {
        options.push(parseOption(lexer));
        lexer.expect(';');
      } else item();
    }
    return options;
  }

  #reserved(max: number): readonly ReservedItem[] {
    const lexer = this.#in;
    const items: ReservedItem[] = [];
    do items.push(lexer.next.kind === 'text' ? lexer.text('a name') : this.#range(max));
    while (lexer.takeIf(','));
    lexer.expect(';');
    return items;
  }

  #range(max: number) {
    const lexer = this.#in;
    const { at } = lexer.next;
    const from = lexer.integer('a number or a name');
    const to = !lexer.takeIf('to') ? from : lexer.takeIf('max') ? max : lexer.integer('a number or max');
    if (to < from) lexer.fail('a range ends before it begins', at);
    return { from, to };
  }

  #extensionRange(): ProtoExtensionRange {
    const lexer = this.#in;
    const ranges = [];
    do ranges.push(this.#range(numberMax));
    while (lexer.takeIf(','));
    const options = parseOptionList(lexer);
    lexer.expect(';');
    return { ranges, options };
  }

  #extend(depth: number): ProtoExtend {
    const lexer = this.#in;
    const of = lexer.path('the name of a message', true);
    const fields: ProtoField[] = [];
    lexer.expect('{');
    while (!lexer.takeIf('}')) if (!lexer.takeIf(';')) fields.push(this.#field({ inOneof: false, depth }));
    return { of, fields };
  }

  #enum(): ProtoEnum {
    const lexer = this.#in;
    const name = lexer.name('the name of an enum');
    const options: ProtoOption[] = [];
    const reserved: (readonly ReservedItem[])[] = [];
    const values: ProtoEnumValue[] = [];
    const { at } = lexer.next;
    lexer.expect('{');
    while (!lexer.takeIf('}')) {
      if (lexer.takeIf(';')) continue;
      const word = lexer.name('the name of a value');
      if (word === 'option' && lexer.next.text !== '=') {
        options.push(parseOption(lexer));
        lexer.expect(';');
      } else if (word === 'reserved' && lexer.next.text !== '=') reserved.push(this.#reserved(enumMax));
      else {
        lexer.expect('=');
        const number = lexer.integer('a number');
        if (number < -0x8000_0000 || number > enumMax) lexer.fail(`${name}.${word} is beyond 32 bits`, at);
        values.push({ name: word, number, options: parseOptionList(lexer) });
        lexer.expect(';');
      }
    }
    if (values.length === 0) lexer.fail(`enum ${name} has no value`, at);
    if (this.#syntax === 'proto3' && values[0]!.number !== 0)
      lexer.fail(`the first value of enum ${name} is not 0, as proto3 wants it`, at);
    const aliases = options.some(
      ({ name: of, value }) => of === 'allow_alias' && value.kind === 'word' && value.word === 'true',
    );
    if (!aliases && new Set(values.map((value) => value.number)).size < values.length)
      lexer.fail(`two values of enum ${name} have one number`, at);
    this.#unique(values, `enum ${name}`, at);
    return { name, options, reserved, values };
  }

  #service(): ProtoService {
    const lexer = this.#in;
    const name = lexer.name('the name of a service');
    const methods: ProtoMethod[] = [];
    const options = this.#body(() => {
      lexer.expect('rpc');
      methods.push(this.#method());
    });
    return { name, options, methods };
  }

  #method(): ProtoMethod {
    const lexer = this.#in;
    const name = lexer.name('the name of a method');
    const input = this.#methodType();
    lexer.expect('returns');
    const output = this.#methodType();
    if (lexer.next.text !== '{') {
      lexer.expect(';');
      return { name, input, output, options: [] };
    }
    const options = this.#body(() => lexer.expect('option'));
    return { name, input, output, options };
  }

  #methodType(): MethodType {
    const lexer = this.#in;
    lexer.expect('(');
    const word = lexer.path('the type of a message', true);
    const stream = word === 'stream' && lexer.next.text !== ')';
    const type = stream ? lexer.path('the type of a message', true) : word;
    lexer.expect(')');
    return { type, stream };
  }

  #checkFields(message: ProtoMessage, at: number): void {
    const lexer = this.#in;
    const { name, reserved, oneofs, messages, enums } = message;
    const fields = allFields(message);
    const groups = fields.flatMap(({ group }) => (group === undefined ? [] : [group]));
    this.#unique([...fields, ...oneofs, ...messages, ...groups, ...enums], `message ${name}`, at);
    const numbers = new Map<number, string>();
    const isReserved = reservation(reserved.flat());
    for (const field of fields) {
      const other = numbers.get(field.number);
      if (other !== undefined)
        lexer.fail(`fields ${other} and ${field.name} of message ${name} have the number ${field.number}`, at);
      numbers.set(field.number, field.name);
      if (isReserved(field)) lexer.fail(`field ${field.name} of message ${name} uses what is reserved`, at);
    }
  }

  #unique(parts: readonly { readonly name: string }[], where: string, at?: number): void {
    const seen = new Set<string>();
    for (const { name } of parts) {
      if (seen.has(name)) this.#in.fail(`${where} has two parts named ${name}`, at);
      seen.add(name);
    }
  }
}

/** Whether a field has a reserved name or number; looked up, since a message may have many of both. */
function reservation(items: readonly ReservedItem[]): (field: ProtoField) => boolean {
  const names = new Set(items.filter((item) => typeof item === 'string'));
  const ranges = items.filter((item) => typeof item !== 'string').sort((a, b) => a.from - b.from);
  // Of the ranges that begin at a number or before it, the one that reaches furthest.
  let reach = -1;
  const reaches = ranges.map(({ to }) => (reach = Math.max(reach, to)));
  return ({ name, number }) => {
    if (names.has(name)) return true;
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle]!.from <= number) low = middle + 1;
      else high = middle;
    }
    return low > 0 && reaches[low - 1]! >= number;
  };
}
