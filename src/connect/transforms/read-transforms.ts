// From `transforms` and `predicates` of a configuration to steps, with what is wrong with them.
import type { SourceFinding } from '../../source/source-connector.js';
import type { UnwantedTopics } from '../../core/topic-name.js';
import { timeFormatProblem, type TimeConversion, type TimeUnit } from '../../schema/formats/time-conversion.js';
import { castTargets, type CastTarget } from '../../schema/formats/cast-value.js';
import { noteOf, problemOf } from '../findings.js';
import { truth, type PropertyDef, group } from '../properties/property.js';
import { addedFields, addedHeaders, takenHeader } from './added-values.js';
import { readEventRouter } from './event-router.js';
import { renameProblem } from './topic-rename.js';
import type { Transform, TransformStep } from './transform-step.js';
import { transformKind, transformProperties, typeRefusal, type TransformKind } from './transform-types.js';
import { own } from '../../core/own.js';

type Values = ReadonlyMap<string, string>;

/** What ExtractNewRecordState makes of a delete. */
export interface Unwrapped {
  readonly shape: 'flat' | 'flat-with-deleted';
  /** Those that come behind deletes are left. */
  readonly tombstones: boolean;
  readonly deletes: 'go' | 'are-marked' | 'become-tombstones';
}

export interface Transforms {
  readonly transforms: readonly Transform[];
  /** Undefined: nothing unwraps an envelope. */
  readonly unwrapped: Unwrapped | undefined;
  /** A filter takes tombstones out. */
  readonly withoutTombstones: boolean;
  /** Filters take all records of these out. */
  readonly unwanted: readonly (UnwantedTopics & { readonly transform: string })[];
  readonly findings: readonly SourceFinding[];
}

const chain = group('Transforms');
const predicateTypes: Readonly<Record<string, 'topic' | 'tombstone' | 'header'>> = {
  'org.apache.kafka.connect.transforms.predicates.TopicNameMatches': 'topic',
  'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone': 'tombstone',
  'org.apache.kafka.connect.transforms.predicates.HasHeaderKey': 'header',
};

export const predicateClasses = Object.keys(predicateTypes);

export const transformLists: readonly PropertyDef[] = [
  chain.implemented('transforms', 'names of transforms, in their order', { type: 'LIST' }),
  chain.implemented('predicates', 'names of predicates', { type: 'LIST' }),
];

/** The properties that the configuration's transforms and predicates have. */
export function transformDefs(config: Readonly<Record<string, unknown>>): readonly PropertyDef[] {
  const names = (property: string) => new Set(typeof config[property] === 'string' ? listOf(config[property]) : []);
  const type = (at: string) => (typeof config[`${at}.type`] === 'string' ? String(config[`${at}.type`]) : '');
  return [
    ...[...names('transforms')].flatMap((name) => {
      const at = `transforms.${name}`;
      const kind = transformKind(type(at));
      return [
        chain.implemented(`${at}.type`, 'class of the transform', { required: true }),
        chain.implemented(`${at}.predicate`, 'only for records that it is true of'),
        chain.implemented(`${at}.negate`, 'only for those that it is false of', truth),
        ...(kind === undefined ? [] : transformProperties(kind, at)),
      ];
    }),
    ...[...names('predicates')].flatMap((name) => {
      const at = `predicates.${name}`;
      const kind = own(predicateTypes, type(at));
      return [
        chain.implemented(`${at}.type`, 'class of the predicate', { required: true }),
        ...(kind === 'topic'
          ? [chain.implemented(`${at}.pattern`, 'whole names of topics', { required: true, patterns: true })]
          : []),
        ...(kind === 'header' ? [chain.implemented(`${at}.name`, 'name of a header', { required: true })] : []),
      ];
    }),
  ];
}

/** Lists of names, each of which is a prefix of its own. */
const refusedLists = ['converters', 'post.processors'] as const;

/** Of a transform that is refused by its type, and of what is named in a list that is refused, the settings are no further problem. */
export function belongsToRefused(property: string, config: Readonly<Record<string, string>>): boolean {
  if (refusedLists.some((list) => listOf(config[list] ?? '').some((name) => property.startsWith(`${name}.`))))
    return true;
  const found = /^transforms\.([^.]+)\./.exec(property);
  if (!found || !listOf(config['transforms'] ?? '').includes(found[1]!)) return false;
  return transformKind(config[`transforms.${found[1]!}.type`] ?? '') === undefined;
}

export function readTransforms(values: Values): Transforms {
  const findings: SourceFinding[] = [];
  const transforms: Transform[] = [];
  let unwrapped: Unwrapped | undefined;
  let withoutTombstones = false;
  const unwanted: Transforms['unwanted'][number][] = [];
  const names = listOf(values.get('transforms') ?? '');
  for (const [i, name] of names.entries()) {
    const at = `transforms.${name}`;
    const reader: Reader = {
      at,
      values,
      problem: (property, message, hint) => findings.push(problemOf(`${at}.${property}`, message, hint)),
      note: (property, message) => findings.push(noteOf(`${at}.${property}`, message)),
    };
    if (names.indexOf(name) !== i)
      reader.problem('type', `transform "${name}" is named twice`, 'give the second one another name');
    const type = values.get(`${at}.type`);
    if (type === undefined) continue;
    const kind = transformKind(type);
    if (kind === undefined) {
      const refusal = typeRefusal(type);
      reader.problem(
        'type',
        refusal ? `transform ${type} is not supported: ${refusal[0]}` : `unknown transform "${type}"`,
        refusal?.[1] ?? typeHint(type),
      );
      continue;
    }
    const when = predicateOf(reader, kind);
    if (when === 'never') continue;
    if (kind === 'filter') {
      if (when === 'tombstones') withoutTombstones = true;
      else if (typeof when === 'object') {
        unwanted.push({ transform: name, pattern: when.topic, negate: when.negate });
        const router = transforms.find(({ steps }) => steps.some((step) => step.kind === 'rename-topic'));
        if (router)
          reader.problem(
            'predicate',
            `tables are left out by the topic that they have in front of "${router.name}"`,
            `name ${name} in front of ${router.name} in transforms`,
          );
      } else if (when === undefined) {
        reader.problem('negate', 'nothing would be left', 'leave it out');
      }
      continue;
    }
    if (when === 'wrong' || when === 'tombstones') continue;
    if (kind === 'unwrap') {
      if (when !== undefined)
        reader.problem('predicate', 'either all tables are unwrapped, or none', 'leave the predicate out');
      unwrapped = unwrap(reader);
    }
    transforms.push({
      name,
      steps: stepsOf(reader, kind),
      when,
      ...(kind === 'unwrap' ? { unwraps: true as const } : {}),
    });
  }
  return { transforms, unwrapped, withoutTombstones, unwanted, findings };
}

interface Reader {
  readonly at: string;
  readonly values: Values;
  readonly problem: (property: string, message: string, hint?: string) => void;
  readonly note: (property: string, message: string) => void;
}

/** undefined: of all records; tombstones: of those alone; never: of none. */
function predicateOf(reader: Reader, kind: TransformKind): Transform['when'] | 'tombstones' | 'never' | 'wrong' {
  const { values, at } = reader;
  const name = values.get(`${at}.predicate`);
  const negate = values.get(`${at}.negate`) === 'true';
  if (name === undefined || name === '') {
    if (kind === 'filter') {
      reader.problem('predicate', 'a filter without a predicate leaves nothing', 'name a predicate');
      return 'wrong';
    }
    return negate ? 'never' : undefined;
  }
  if (!listOf(values.get('predicates') ?? '').includes(name)) {
    reader.problem('predicate', `there is no predicate "${name}"`, 'name it in predicates');
    return 'wrong';
  }
  const type = values.get(`predicates.${name}.type`);
  if (type === undefined) return 'wrong';
  switch (own(predicateTypes, type)) {
    case 'topic':
      return { topic: values.get(`predicates.${name}.pattern`) ?? '', negate };
    case 'tombstone': {
      const ofRows =
        kind !== 'eventRouter' &&
        kind !== 'regexRouter' &&
        kind !== 'logicalRouter' &&
        kind !== 'valueToKey' &&
        kind !== 'extractKey' &&
        kind !== 'insertHeader' &&
        kind !== 'replaceKey';
      if (!ofRows) {
        reader.problem(
          'predicate',
          'a tombstone has the topic, the key and the headers of its row',
          'leave the predicate out',
        );
        return 'wrong';
      }
      if (kind === 'filter') {
        if (!negate) return 'tombstones';
        reader.problem('negate', 'only tombstones would be left', 'leave it out');
        return 'wrong';
      }
      // A value that is null is passed over by all of them anyway.
      if (negate) return undefined;
      reader.note('predicate', 'a tombstone has no value that this transform could change');
      return 'never';
    }
    case 'header': {
      const header = values.get(`predicates.${name}.name`) ?? '';
      if (header.startsWith('__debezium.')) {
        reader.problem('predicate', 'a changed key has no headers of its own here', 'leave the transform out');
        return 'wrong';
      }
      if ([...values.keys()].some((each) => /^transforms\.[^.]+\.(header|add\.headers)$/.test(each))) {
        reader.problem('predicate', 'records are not asked for the headers that they get', 'leave the predicate out');
        return 'wrong';
      }
      reader.note('predicate', `no record has the header "${header}" when it is transformed`);
      return negate ? undefined : 'never';
    }
    default:
      reader.problem('predicate', `unknown predicate "${type}"`, `known: ${Object.keys(predicateTypes).join(', ')}`);
      return 'wrong';
  }
}

function unwrap({ at, values, problem, note }: Reader): Unwrapped {
  const value = (name: string) => values.get(`${at}.${name}`);
  const mode = value('delete.tombstone.handling.mode');
  const [dropTombstones, deletes] = [value('drop.tombstones'), value('delete.handling.mode')];
  if (mode !== undefined) {
    if (dropTombstones !== undefined || deletes !== undefined)
      note('delete.tombstone.handling.mode', 'holds; the older pair beside it is not looked at');
    if (mode === 'delete-to-tombstone') return { shape: 'flat', tombstones: true, deletes: 'become-tombstones' };
    if (mode === 'tombstone') return { shape: 'flat', tombstones: true, deletes: 'go' };
    return { shape: 'flat-with-deleted', tombstones: mode !== 'rewrite', deletes: 'are-marked' };
  }
  if (deletes === 'rewrite')
    return { shape: 'flat-with-deleted', tombstones: dropTombstones === 'false', deletes: 'are-marked' };
  // A delete that is passed on as a null value is a tombstone, too.
  if (deletes === 'none') return { shape: 'flat', tombstones: true, deletes: 'become-tombstones' };
  if (dropTombstones === 'true')
    problem(
      'drop.tombstones',
      'no trace of deletes would be left, and the tables would keep rows that are gone',
      'set it to "false", or delete.handling.mode to "rewrite"',
    );
  return { shape: 'flat', tombstones: true, deletes: 'go' };
}

function stepsOf(reader: Reader, kind: TransformKind): readonly TransformStep[] {
  const { values, at, problem, note } = reader;
  const value = (name: string) => values.get(`${at}.${name}`);
  const list = (name: string) => listOf(value(name) ?? '');
  switch (kind) {
    case 'unwrap':
      return [
        ...addedFields(list('add.fields'), value('add.fields.prefix'), values, problem),
        ...addedHeaders(list('add.headers'), value('add.headers.prefix'), values, problem),
      ];
    case 'regexRouter':
    case 'logicalRouter': {
      const prefix = kind === 'regexRouter' ? '' : 'topic.';
      const [regex, replacement] = [value(`${prefix}regex`), value(`${prefix}replacement`)];
      if (kind === 'logicalRouter' && value('key.enforce.uniqueness') !== 'false')
        problem(
          'key.enforce.uniqueness',
          'tables do not share a topic, so keys need no field that tells them apart',
          'set it to "false"',
        );
      if (regex === undefined || replacement === undefined) return [];
      const wrong = renameProblem(regex, replacement);
      if (wrong !== undefined) problem(`${prefix}replacement`, `"${replacement}" for "${regex}": ${wrong}`);
      return [{ kind: 'rename-topic', regex, replacement }];
    }
    case 'replaceValue':
    case 'replaceKey': {
      const pairs = list('renames').map((pair) => pair.split(':'));
      const wrong = pairs.find((pair) => pair.length !== 2 || pair.includes(''));
      if (wrong) problem('renames', `"${wrong.join(':')}" is not a rename`, 'write old:new');
      const renames = Object.fromEntries(pairs.filter((pair) => pair.length === 2)) as Record<string, string>;
      const side = kind === 'replaceKey' ? 'key' : 'value';
      return [{ kind: 'replace', side, exclude: list('exclude'), include: list('include'), renames }];
    }
    case 'maskValue':
      return [{ kind: 'mask', fields: list('fields'), replacement: value('replacement') }];
    case 'insertHeader': {
      const [name, text] = [value('header'), value('value.literal')];
      if (name === undefined || text === undefined) return [];
      const taken = takenHeader([name]);
      if (taken !== undefined) problem('header', taken, 'give it another name');
      return [{ kind: 'header', name, value: { kind: 'text', text }, everywhere: true }];
    }
    case 'insertValue': {
      const steps: TransformStep[] = [];
      const [field, text, topicField] = [value('static.field'), value('static.value'), value('topic.field')];
      if ((field === undefined) !== (text === undefined))
        problem(
          field === undefined ? 'static.field' : 'static.value',
          'static.field and static.value belong together',
          'set both',
        );
      else if (field !== undefined)
        steps.push({ kind: 'add', field: bareName(field), value: { kind: 'text', text: text! } });
      if (topicField !== undefined) steps.push({ kind: 'add', field: bareName(topicField), value: { kind: 'topic' } });
      if (steps.length === 0) note('type', 'it inserts nothing');
      return steps;
    }
    case 'castValue':
      return castSteps(reader, list('spec'));
    case 'convertTime': {
      const { conversion, wrong } = timeConversion(value);
      if (wrong !== undefined) problem(...wrong);
      return [{ kind: 'time', field: value('field') ?? '', conversion }];
    }
    case 'flatten':
      return [{ kind: 'flatten' }];
    case 'valueToKey':
      return [{ kind: 'key', fields: list('fields') }];
    case 'extractKey':
      return [{ kind: 'bare-key', field: value('field') ?? '' }];
    case 'eventRouter':
      return [
        {
          kind: 'route-events',
          routing: readEventRouter({ value, problem, converter: values.get('value.converter') }),
        },
      ];
    case 'filter':
      return [];
  }
}

function timeConversion(value: (name: string) => string | undefined): {
  readonly conversion: TimeConversion;
  readonly wrong?: [property: string, message: string, hint: string];
} {
  if (value('target.type') !== 'string')
    return { conversion: { to: 'unix', unit: (value('unix.precision') ?? 'milliseconds') as TimeUnit } };
  const format = value('format') ?? '';
  const reason = format === '' ? 'text needs it' : timeFormatProblem(format);
  const conversion = { to: 'string', format } as const;
  if (reason === undefined) return { conversion };
  return { conversion, wrong: ['format', reason, "write it like yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"] };
}

function castSteps({ problem }: Reader, spec: readonly string[]): readonly TransformStep[] {
  const fields: [string, CastTarget][] = [];
  for (const entry of spec) {
    const [field = '', type = '', more] = entry.split(':');
    const target = castTargets.find((known) => known === type.trim().toLowerCase());
    if (target !== undefined && field !== '' && more === undefined) fields.push([field.trim(), target]);
    else if (type === '')
      problem('spec', `"${entry}" casts whole values, and rows are not one value`, 'write field:type');
    else problem('spec', `"${entry}" is no cast of a field`, `write field:type, with ${castTargets.join(', ')}`);
  }
  return [{ kind: 'cast', fields: Object.fromEntries(fields) }];
}

/** `!` and `?` behind a field say whether it is required, which a constant always is. */
function bareName(field: string): string {
  return field.replace(/[!?]$/, '');
}

function typeHint(type: string): string {
  return type.includes('.') ? 'docs/connector-properties.md lists the transforms' : 'write the whole name of its class';
}

function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
