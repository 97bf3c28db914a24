// Options of a .proto file: names, of which some stand in parentheses, and constants, of which some are messages in text form.
import type { OptionValue, ProtoOption } from './proto-file.js';
import type { ProtoLexer } from './proto-lexer.js';

const depthMax = 32;

/** Behind the word `option`, or in a list. */
export function parseOption(lexer: ProtoLexer): ProtoOption {
  let name = optionPart(lexer);
  while (lexer.takeIf('.')) name += `.${optionPart(lexer)}`;
  lexer.expect('=');
  return { name, value: constant(lexer, 0) };
}

/** `[a = 1, b = 2]`, where there is one. */
export function parseOptionList(lexer: ProtoLexer): readonly ProtoOption[] {
  const options: ProtoOption[] = [];
  if (!lexer.takeIf('[')) return options;
  do options.push(parseOption(lexer));
  while (lexer.takeIf(','));
  lexer.expect(']');
  return options;
}

function optionPart(lexer: ProtoLexer): string {
  if (!lexer.takeIf('(')) return lexer.name('the name of an option');
  const path = lexer.path('the name of an option', true);
  lexer.expect(')');
  return `(${path})`;
}

function constant(lexer: ProtoLexer, depth: number): OptionValue {
  if (depth > depthMax) lexer.fail(`the value of an option is nested deeper than ${depthMax}`);
  if (lexer.next.kind === 'text') return { kind: 'text', text: lexer.text('a text') };
  if (lexer.takeIf('{')) return aggregate(lexer, '}', depth);
  if (lexer.takeIf('<')) return aggregate(lexer, '>', depth);
  if (lexer.takeIf('[')) return list(lexer, depth);
  const sign = lexer.takeIf('-') ? '-' : lexer.takeIf('+') ? '+' : '';
  if (lexer.next.kind === 'number') return { kind: 'word', word: `${sign}${lexer.take().text}` };
  return { kind: 'word', word: `${sign}${lexer.path('the value of an option')}` };
}

function list(lexer: ProtoLexer, depth: number): OptionValue {
  const items: OptionValue[] = [];
  if (!lexer.takeIf(']')) {
    do items.push(constant(lexer, depth + 1));
    while (lexer.takeIf(','));
    lexer.expect(']');
  }
  return { kind: 'list', items };
}

/** `{ key: value, other { ... } }`; commas and semicolons between may be missing. */
function aggregate(lexer: ProtoLexer, end: string, depth: number): OptionValue {
  const entries: { key: string; value: OptionValue }[] = [];
  while (!lexer.takeIf(end)) {
    const key = lexer.takeIf('[') ? extensionName(lexer) : lexer.name('the name of a field');
    if (!lexer.takeIf(':') && lexer.next.text !== '{' && lexer.next.text !== '<') lexer.expect(':');
    entries.push({ key, value: constant(lexer, depth + 1) });
    if (!lexer.takeIf(',')) lexer.takeIf(';');
  }
  return { kind: 'map', entries };
}

function extensionName(lexer: ProtoLexer): string {
  let path = lexer.path('the name of an extension');
  while (lexer.takeIf('/')) path += `/${lexer.path('the name of an extension')}`;
  lexer.expect(']');
  return `[${path}]`;
}
