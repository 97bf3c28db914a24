// Query parameters that a path takes: those of its description, which is so the one place where they are declared. Anything else is refused
// with the nearest name, and so is a parameter that is there twice, or a flag that is neither true nor false: what is accepted has its
// effect. Paths and methods that are not described are left to the router, which says so.
import { AppError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import type { Exchange } from './exchange.js';
import { describedPaths } from './openapi.js';

export interface DeclaredParameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly type?: unknown; readonly const?: string | boolean };
  readonly allowEmptyValue?: boolean;
}

type Methods = Readonly<Record<string, { readonly parameters?: readonly DeclaredParameter[] }>>;

/** A segment of a path; `any` is that of a parameter. */
interface Segment {
  readonly literals: Map<string, Segment>;
  any?: Segment;
  /** Its value may hold slashes: it takes the rest. */
  takesRest?: boolean;
  methods?: Methods;
}

/** Of a key that is a text, and of an id of a command, which has three parts. */
const restParameters: ReadonlySet<string> = new Set(['{key}', '{command}']);

let paths: Segment | undefined;

/** Throws unknown-parameter or bad-request. */
export function checkParameters({ method, path, query }: Pick<Exchange, 'method' | 'path' | 'query'>): void {
  if (query === '') return;
  const operation = methodsAt(path)?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
  if (operation === undefined) return;
  const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const parameter = declared.find((each) => each.name === name);
    if (parameter === undefined) throw unknown(name, path, declared);
    const { type, const: only } = parameter.schema;
    if (seen.has(name) && type !== 'array') throw new AppError('bad-request', `"${name}" is there twice`);
    seen.add(name);
    if (type === 'boolean' && !isFlag(value, parameter.allowEmptyValue === true))
      throw new AppError('bad-request', `"${name}" must be true or false, not "${value.slice(0, 40)}"`);
    if (only !== undefined && value.toLowerCase() !== String(only))
      throw new AppError('bad-request', `"${name}" can only be "${only}" here, not "${value.slice(0, 40)}"`);
  }
}

function isFlag(value: string, mayBeEmpty: boolean): boolean {
  return (value === '' && mayBeEmpty) || /^(?:true|false)$/i.test(value);
}

function unknown(name: string, path: string, declared: readonly DeclaredParameter[]): AppError {
  const names = declared.map((parameter) => parameter.name);
  const all = names.length === 0 ? 'it takes none' : `it takes ${names.join(', ')}`;
  return new AppError('unknown-parameter', `${path.slice(0, 200)} has no query parameter "${name.slice(0, 100)}"`, {
    hint: didYouMean(name.slice(0, 100), names) ?? all,
    place: { path: name.slice(0, 100) },
  });
}

function methodsAt(path: string): Methods | undefined {
  paths ??= segmentsOf(describedPaths as Readonly<Record<string, Methods>>);
  const parts = path.split('/');
  let at: Segment | undefined = paths;
  for (const [i, part] of parts.entries()) {
    // Express takes letters of either case, and a slash at the end; the key of a row may be the empty text.
    const next: Segment | undefined = at.literals.get(part.toLowerCase()) ?? at.any;
    if (part === '' && i > 1 && i === parts.length - 1) return (next?.takesRest === true ? next : at).methods;
    if (next === undefined) return at.takesRest === true ? at.methods : undefined;
    at = next;
  }
  return at.methods;
}

function segmentsOf(described: Readonly<Record<string, Methods>>): Segment {
  const root: Segment = { literals: new Map() };
  for (const [path, methods] of Object.entries(described)) {
    let at = root;
    for (const part of path.split('/')) {
      let next = part.startsWith('{') ? at.any : at.literals.get(part.toLowerCase());
      if (next === undefined) {
        next = { literals: new Map() };
        if (part.startsWith('{')) at.any = next;
        else at.literals.set(part.toLowerCase(), next);
      }
      if (restParameters.has(part)) next.takesRest = true;
      at = next;
    }
    at.methods = methods;
  }
  return root;
}
