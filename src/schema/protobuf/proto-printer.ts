// A .proto file as text in one form, by which the registry knows that it has a schema already: the form in which Confluent's registry
// gives schemas out. Comments and spaces do not make a new schema; the order of definitions does (message indexes count them).
import {
  numberMax,
  type OptionValue,
  type ProtoEnum,
  type ProtoExtend,
  type ProtoExtensionRange,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoMethod,
  type ProtoOneof,
  type ProtoOption,
  type ProtoService,
  type ReservedItem,
} from './proto-file.js';

export function printProto(file: ProtoFile): string {
  const imports = [
    ...file.imports
      .filter(({ kind }) => kind !== 'public')
      .map(({ kind, path }) => importLine(kind === 'weak' ? 'weak ' : '', path)),
    ...file.imports.filter(({ kind }) => kind === 'public').map(({ path }) => importLine('public ', path)),
  ];
  const head = [
    ...(file.syntax === undefined ? [] : [`syntax = "${file.syntax}";`]),
    ...(file.package === undefined ? [] : [`package ${file.package};`]),
  ];
  const sections = [
    imports,
    file.options.flatMap(optionLines),
    [...file.messages.flatMap(messageLines), ...file.enums.flatMap(enumLines)],
    file.extends.flatMap(extendLines),
    file.services.flatMap(serviceLines),
  ];
  const lines = [...head];
  for (const section of sections) if (section.length > 0) lines.push('', ...section);
  return `${lines.join('\n')}\n`;
}

const importLine = (kind: string, path: string) => `import ${kind}"${escapeText(path)}";`;

function block(head: string, sections: readonly (readonly string[])[]): string[] {
  const lines: string[] = [];
  for (const section of sections) if (section.length > 0) lines.push('', ...section.map(indented));
  return lines.length === 0 ? [`${head} {}`] : [`${head} {`, ...lines.slice(1), '}'];
}

function indented(line: string): string {
  return line === '' ? '' : `  ${line}`;
}

function messageLines(message: ProtoMessage): string[] {
  return block(`message ${message.name}`, messageSections(message));
}

function messageSections(message: ProtoMessage): string[][] {
  return [
    message.reserved.map(reservedLine),
    message.options.flatMap(optionLines),
    message.fields.filter(({ group }) => group === undefined).flatMap(fieldLines),
    message.oneofs.flatMap(oneofLines),
    message.fields.filter(({ group }) => group !== undefined).flatMap(fieldLines),
    message.extensionRanges.flatMap(extensionRangeLines),
    [...message.messages.flatMap(messageLines), ...message.enums.flatMap(enumLines)],
    message.extends.flatMap(extendLines),
  ];
}

function reservedLine(items: readonly ReservedItem[]): string {
  return `reserved ${items.map(rangeText).join(', ')};`;
}

function rangeText(item: ReservedItem): string {
  if (typeof item === 'string') return `"${escapeText(item)}"`;
  const { from, to } = item;
  if (from === to) return String(from);
  return `${from} to ${to === numberMax ? 'max' : to}`;
}

function extensionRangeLines({ ranges, options }: ProtoExtensionRange): string[] {
  return withOptions(`extensions ${ranges.map(rangeText).join(', ')}`, options, ';');
}

function fieldLines({ label, type, mapKey, name, number, options, group }: ProtoField): string[] {
  const front = label === undefined ? '' : `${label} `;
  if (group !== undefined) {
    const head = withOptions(`${front}group ${type} = ${number}`, options, '');
    const body = block('', messageSections(group));
    return [...head.slice(0, -1), `${head.at(-1)!}${body[0]!}`, ...body.slice(1)];
  }
  const typeText = mapKey === undefined ? type : `map<${mapKey}, ${type}>`;
  return withOptions(`${front}${typeText} ${name} = ${number}`, options, ';');
}

function oneofLines({ name, options, fields }: ProtoOneof): string[] {
  return block(`oneof ${name}`, [[...options.flatMap(optionLines), ...fields.flatMap(fieldLines)]]);
}

function enumLines({ name, options, reserved, values }: ProtoEnum): string[] {
  const valueLines = values.flatMap((value) => withOptions(`${value.name} = ${value.number}`, value.options, ';'));
  return block(`enum ${name}`, [[...reserved.map(reservedLine), ...options.flatMap(optionLines), ...valueLines]]);
}

function extendLines({ of, fields }: ProtoExtend): string[] {
  return block(`extend ${of}`, [fields.flatMap(fieldLines)]);
}

function serviceLines({ name, options, methods }: ProtoService): string[] {
  return block(`service ${name}`, [options.flatMap(optionLines), methods.flatMap(methodLines)]);
}

function methodLines({ name, input, output, options }: ProtoMethod): string[] {
  const typeText = ({ type, stream }: ProtoMethod['input']) => `(${stream ? 'stream ' : ''}${type})`;
  const head = `rpc ${name} ${typeText(input)} returns ${typeText(output)}`;
  return options.length === 0 ? [`${head};`] : [`${head} {`, ...options.flatMap(optionLines).map(indented), '};'];
}

function optionLines(option: ProtoOption): string[] {
  const lines = assignment(option);
  return [`option ${lines[0]!}`, ...lines.slice(1, -1), ...(lines.length > 1 ? [lines.at(-1)!] : [])].map((line, i) =>
    i === lines.length - 1 ? `${line};` : line,
  );
}

/** One option stands in the line, several have one each. */
function withOptions(head: string, options: readonly ProtoOption[], end: string): string[] {
  if (options.length === 0) return [`${head}${end}`];
  if (options.length === 1) {
    const lines = assignment(options[0]!);
    lines[0] = `${head} [${lines[0]!}`;
    lines[lines.length - 1] += `]${end}`;
    return lines;
  }
  const inner = options.flatMap((option, i) => {
    const lines = assignment(option);
    if (i < options.length - 1) lines[lines.length - 1] += ',';
    return lines.map(indented);
  });
  return [`${head} [`, ...inner, `]${end}`];
}

function assignment({ name, value }: ProtoOption): string[] {
  const lines = valueLines(value);
  lines[0] = `${name} = ${lines[0]!}`;
  return lines;
}

function valueLines(value: OptionValue): string[] {
  switch (value.kind) {
    case 'text':
      return [`"${escapeText(value.text)}"`];
    case 'word':
      return [value.word];
    case 'list':
      return enclosed('[', value.items.map(valueLines), ']');
    case 'map':
      return enclosed(
        '{',
        value.entries.map(({ key, value: of }) => {
          const lines = valueLines(of);
          lines[0] = `${key}: ${lines[0]!}`;
          return lines;
        }),
        '}',
      );
  }
}

function enclosed(open: string, parts: readonly string[][], close: string): string[] {
  const inner = parts.flatMap((lines, i) => {
    if (i < parts.length - 1) lines[lines.length - 1] += ',';
    return lines.map(indented);
  });
  return [open, ...inner, close];
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\0': String.raw`\0`,
  '\\': String.raw`\\`,
  "'": String.raw`\'`,
  '"': String.raw`\"`,
};

function escapeText(text: string): string {
  return Array.from(text, (character) => escapes[character] ?? character).join('');
}
