// What a partial update says of a JSON document (binlog_row_value_options = PARTIAL_JSON): changes at paths, one behind the other, to be
// made to the document of the old image.
import { AppError } from '../../core/errors.js';
import { opened, parseJsonTree, printJsonTree, type JsonNode } from './json-tree.js';

const operation = { replace: 0, insert: 1, remove: 2 } as const;

type Step = { readonly name: string } | { readonly item: number };

/** The document behind the changes. */
export function applyJsonDiffs(document: Buffer, diffs: Buffer): Buffer {
  const root = { kind: 'array' as const, items: [parseJsonTree(document)] };
  let at = 0;
  const packed = (): number => {
    const first = diffs[at++]!;
    const width = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
    at += width;
    if (width === 0) return first;
    return width === 8 ? Number(diffs.readBigUInt64LE(at - 8)) : diffs.readUIntLE(at - width, width);
  };
  const bytes = (): Buffer => {
    const length = packed();
    at += length;
    if (at > diffs.length) throw broken('it ends within a change');
    return diffs.subarray(at - length, at);
  };
  while (at < diffs.length) {
    const does = diffs[at++]!;
    const steps = parsePath(bytes().toString('utf8'));
    change(root, steps, does, does === operation.remove ? undefined : parseJsonTree(bytes()));
  }
  return printJsonTree(root.items[0]!);
}

/** The document is the one item of `root`, so that a change of the whole is like any other. */
function change(root: { items: JsonNode[] }, path: readonly Step[], does: number, value: JsonNode | undefined): void {
  const last = path.at(-1) ?? { item: 0 };
  let parent: JsonNode = { kind: 'array', items: root.items };
  const way = path.length === 0 ? [] : [{ item: 0 }, ...path.slice(0, -1)];
  for (const step of way) {
    const child: JsonNode | undefined = childOf(parent, step);
    if (child === undefined) throw broken('a path leads nowhere');
    const open = opened(child);
    if (open !== child) put(parent, step, open);
    parent = open;
  }
  if (does > operation.remove) throw broken(`it has an unknown change ${does}`);
  if ('name' in last && parent.kind === 'object') {
    if (value === undefined) parent.members.delete(last.name);
    else parent.members.set(last.name, value);
  } else if ('item' in last && parent.kind === 'array') {
    // Behind the end is at the end.
    const place = Math.min(last.item, parent.items.length);
    if (does === operation.insert) parent.items.splice(place, 0, value!);
    else if (value === undefined) parent.items.splice(place, 1);
    else parent.items[place] = value;
  } else {
    throw broken('a path leads into a value that has no parts');
  }
}

function childOf(parent: JsonNode, step: Step): JsonNode | undefined {
  if ('name' in step) return parent.kind === 'object' ? parent.members.get(step.name) : undefined;
  return parent.kind === 'array' ? parent.items[step.item] : undefined;
}

function put(parent: JsonNode, step: Step, child: JsonNode): void {
  if ('name' in step) {
    if (parent.kind === 'object') parent.members.set(step.name, child);
  } else if (parent.kind === 'array') parent.items[step.item] = child;
}

const stepPattern = /\s*(?:\[\s*(\d+)\s*\]|\.\s*(?:("(?:[^"\\]|\\.)*")|([^.["\s]+)))/sy;

/** `$.name."a name"[3]` */
function parsePath(text: string): Step[] {
  const steps: Step[] = [];
  if (!text.startsWith('$')) throw broken(`it has the path ${text.slice(0, 100)}`);
  stepPattern.lastIndex = 1;
  for (let end = 1; end < text.length; end = stepPattern.lastIndex) {
    const match = stepPattern.exec(text);
    if (match === null) throw broken(`it has the path ${text.slice(0, 100)}`);
    const [, item, quoted, plain] = match;
    if (item === undefined) {
      const name = quoted === undefined ? plain! : (JSON.parse(quoted) as string);
      steps.push({ name: Buffer.from(name, 'utf8').toString('latin1') });
    } else steps.push({ item: Number(item) });
  }
  return steps;
}

function broken(why: string): AppError {
  return new AppError('corrupt-binlog', `a partial update of a JSON document cannot be read: ${why}`);
}
