// Definitions of captured tables: topic, schemas and table of each are made by one append. A captured table keeps its topic; where two
// names give the same one (they may differ only in what a topic's name cannot hold) the later gets a suffix of its own. Who fills a
// topic is told by the catalogue, and for what is captured without a table by a document.
import { hash } from 'node:crypto';
import { tableSpec, type CapturedFrom, type Generation, type SourceEntry } from '../catalog/catalog.js';
import { printType, type RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { noPosition } from '../core/append.js';
import { isSideTable, nameKey } from '../core/names.js';
import { sameKey, sameSchema } from '../core/schema-change.js';
import { qualifiedName, splitName } from '../core/table-name.js';
import { nothingAsked } from '../core/topic-retention.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import { registeredKey, registeredValue } from './captured-schemas.js';
import type { RegisteredText } from './grown-text.js';
import { ensureTopic } from './defined-topics.js';
import { assertSameColumns, assertSameTimes } from './definition-checks.js';
import type { CapturedResult, CapturedTable } from './definition.js';
import { SchemaChanges } from './schema-changes.js';
import type { SourceDefinitions } from './source-definitions.js';
import { own } from '../core/own.js';

/** Documents of topics that are filled without a table. */
export const claimKind = 'topic-claim';

/** Who fills a topic. */
export interface Claim {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
  /** Of its records; a claim of before has none until its table is opened again. */
  readonly form?: ClaimedForm | undefined;
}

export interface ClaimedForm extends Pick<SourceEntry, 'schema'> {
  readonly properties: Pick<SourceEntry['properties'], 'keyFormat' | 'valueFormat'>;
  readonly captured: Pick<CapturedFrom, 'schemas' | 'keyShape' | 'envelope' | 'deletedField'>;
}

/** The topics that a captured table may have, the one that is tried first in front. */
export function topicsOfCaptured(named: string, database: string, table: string): readonly [string, string] {
  return [named, `${named}_${hash('sha1', qualifiedName({ database, table })).slice(0, 8)}`];
}

export class CapturedDefinitions {
  readonly #env: ApplierEnv;
  readonly #sources: SourceDefinitions;
  readonly #changes: SchemaChanges;

  constructor(env: ApplierEnv, sources: SourceDefinitions) {
    this.#env = env;
    this.#sources = sources;
    this.#changes = new SchemaChanges(env);
  }

  /** Idempotent: after a restart everything is there. Throws already-exists where the topic holds what is not the table's. */
  capture(definition: CapturedTable, reached: Frontier): CapturedResult {
    const { state, topics, registry } = this.#env;
    const { connector, partitions, cleanup } = definition;
    const topic = this.#topicFor(definition, reached);
    const seen = own(definition.seen, topic) ?? null;
    const retention = { retention: nothingAsked, defaults: definition.retention ?? nothingAsked };
    ensureTopic(topics, { name: topic, partitions, cleanup, ...retention, seen, otherwise: null });
    // Only what this table itself had before is followed; a subject that others have filled is theirs.
    const follows = { followsSource: this.#claimOn(topic) !== undefined };
    const register = (side: string, schema: RegisteredText | undefined) =>
      schema && registry.registerNow(`${topic}-${side}`, schema.text, schema.type, follows);
    const key = registeredKey(registry, topic, definition);
    const value = registeredValue(registry, topic, definition);
    const keySchemaId = register('key', key);
    const valueSchemaId = register('value', value);
    if (definition.createTable) {
      this.#addTable(definition, topic, reached);
      state.deleteDocument(claimKind, topic);
    } else this.#claim(topic, { connector, table: qualifiedName(definition), form: formOf(definition) });
    const numbered = (schema: RegisteredText | undefined) => (schema?.type === 'PROTOBUF' ? schema.text : undefined);
    return {
      kind: 'captured',
      topic,
      keySchemaId,
      valueSchemaId,
      keySchema: numbered(key),
      valueSchema: numbered(value),
    };
  }

  /** A statement drops the table and leaves the topic. True: its connector goes on to fill that. */
  keepClaim({ schema, captured, properties }: SourceEntry): boolean {
    if (captured === null || !this.#env.isConnector(captured.connector)) return false;
    const { connector, table } = captured;
    this.#claim(properties.topic, { connector, table, form: formOf({ schema, ...properties, ...captured }) });
    return true;
  }

  #claim(topic: string, claim: Claim): void {
    this.#env.state.putDocument(claimKind, topic, JSON.stringify(claim));
  }

  /** The connector is deleted: what it filled without a table is nobody's. */
  forget(connector: string): void {
    const { state, topics, catalog } = this.#env;
    for (const { name, json } of state.documents(claimKind)) {
      if ((JSON.parse(json) as Claim).connector !== connector) continue;
      state.deleteDocument(claimKind, name);
      if (!catalog.all().some(({ properties }) => properties.topic === name)) topics.release(name);
    }
  }

  #addTable(definition: CapturedTable, topic: string, reached: Frontier): void {
    const { catalog, topics } = this.#env;
    const { connector, database, table, schema, partitions, keyFormat, valueFormat, hidden } = definition;
    const qualified = qualifiedName(definition);
    const existing = catalog
      .all()
      .find((entry) => entry.properties.topic === topic && entry.sourceKind === 'table' && entry.writtenBy === null);
    if (existing) return this.#follow(existing, definition, reached);
    // Several connectors may capture it.
    const suffixed = `${database}_${table}_${hash('sha1', `${connector} ${qualified}`).slice(0, 8)}`;
    const name = [table, `${database}_${table}`, suffixed].find((each) => catalog.find(each) === undefined);
    const twin = catalog.find(table)?.captured;
    const isAlias = name !== table && twin?.connector === connector && splitName(twin.table).table !== table;
    if (name === undefined) throw new AppError('already-exists', `captured table ${qualified} is there as ${suffixed}`);
    // The topic of a table that was dropped, or was not wanted before, holds the rows that the connector will not send again.
    const empty = topics.isEmpty(topic);
    const { deletedField: hasDeletedField, keyShape, schemas, envelope } = definition;
    this.#sources.add(
      {
        name,
        sourceKind: 'table',
        schema,
        properties: { topic, keyFormat, valueFormat, partitions, timestampColumn: null },
        writtenBy: null,
        readOnly: false,
        owner: { kind: 'connector', name: connector },
        sql: null,
        table: { id: catalog.nextTableId(), version: 1 },
        captured: {
          connector,
          table: qualified,
          deletedField: hasDeletedField,
          keyShape,
          ...(envelope === undefined ? {} : { envelope }),
          ...(schemas === undefined ? {} : { schemas }),
          awaitsSnapshot: hidden,
          ...(isAlias ? { alias: table } : {}),
          ...(definition.reconciling === undefined ? {} : { reconciling: definition.reconciling }),
        },
        visible: !hidden && empty,
        failed: null,
        schemaIds: null,
      },
      empty,
    );
  }

  /** The source's table has other columns than when it was captured. */
  #follow(there: SourceEntry, definition: CapturedTable, reached: Frontier): void {
    let existing = there;
    const { captured } = existing;
    const { schema, keyFormat, keyShape, schemas } = definition;
    const qualified = qualifiedName(definition);
    if (captured === null) {
      // Somebody has declared a table over this topic before it was captured.
      assertSameColumns(existing, schema, `captured table ${qualified}`);
      assertSameTimes(existing, schema, qualified);
      return;
    }
    assertSameForm(existing, definition);
    if (definition.reconciling !== undefined) existing = this.#reconcile(existing, captured, definition.reconciling);
    if (sameSchema(existing.schema, schema) && captured.keyShape === keyShape) return;
    // In AVRO and PROTOBUF a key of another type has other bytes.
    const keepsKey =
      sameKey(existing.schema, schema) &&
      captured.keyShape === keyShape &&
      keyZones(existing.schema) === keyZones(schema) &&
      ((keyFormat !== 'AVRO' && keyFormat !== 'PROTOBUF') || keyText(existing.schema) === keyText(schema));
    const timed = existing.properties.timestampColumn;
    if (timed !== null && !schema.columns.some(({ name }) => nameKey(name) === nameKey(timed)))
      throw new AppError(
        'unsupported-change',
        `column ${timed} of ${qualified} is gone, which gives ${existing.name} its ROWTIME`,
        {
          hint: `DROP TABLE ${existing.name} and declare it with another TIMESTAMP column`,
        },
      );
    const generation: Generation = { untilSeq: reached.seq, schema: keepsKey ? existing.schema : null };
    const next: SourceEntry = {
      ...existing,
      schema,
      captured: {
        ...existing.captured!,
        keyShape,
        ...(schemas === undefined ? {} : { schemas }),
        generations: [...(keepsKey ? (captured.generations ?? []) : []), generation],
      },
    };
    const what = `captured table ${qualified}`;
    if (keepsKey) this.#changes.alter(existing, next, reached, what);
    else this.#changes.replace(existing, next, reached, what);
  }

  /** Its rows are being read again; one that stood still goes on. */
  #reconcile(existing: SourceEntry, captured: CapturedFrom, reconciling: string): SourceEntry {
    const { catalog, state, runtime } = this.#env;
    const entry: SourceEntry = { ...existing, failed: null, captured: { ...captured, reconciling } };
    catalog.putSource(entry);
    if (existing.failed !== null) {
      state.goOn(tableSpec(entry));
      runtime.attachSource(entry);
    }
    return catalog.find(entry.name)!;
  }

  #topicFor({ connector, producer, database, table, topic: named }: CapturedTable, reached: Frontier): string {
    const qualified = qualifiedName({ database, table });
    const candidates = topicsOfCaptured(named, database, table);
    const own = candidates.find((each) => {
      const claim = this.#claimOn(each);
      return claim?.connector === connector && claim.table === qualified;
    });
    // Only another table of this connector is evaded; one of another connector is in the way, whatever the topic is called.
    const topic = own ?? (this.#claimOn(named)?.connector === connector ? candidates[1] : named);
    const claim = this.#claimOn(topic);
    if (claim !== undefined && claim.connector !== connector) throw taken(topic, claim);
    // A source that finds rows which have gone has told so before, in an append with a position.
    if (claim !== undefined && reached.positions[producer] === noPosition && !isSideTable(qualified))
      throw staleRows(topic, connector);
    return topic;
  }

  #claimOn(topic: string): Claim | undefined {
    const { catalog, state } = this.#env;
    const entry = catalog.all().find((each) => each.captured !== null && each.properties.topic === topic);
    if (entry?.captured) return entry.captured;
    const json = state.getDocument(claimKind, topic);
    return json === undefined ? undefined : (JSON.parse(json) as Claim);
  }
}

function formOf(of: ClaimedForm['properties'] & ClaimedForm['captured'] & Pick<ClaimedForm, 'schema'>): ClaimedForm {
  const { schema, keyFormat, valueFormat, schemas, keyShape, envelope, deletedField } = of;
  return {
    schema,
    properties: { keyFormat, valueFormat },
    captured: { schemas, keyShape, envelope, deletedField },
  };
}

function keyText({ columns, keyColumns }: RowSchema): string {
  return keyColumns.map((at) => printType(columns[at]!.type)).join();
}

/** A key that becomes text has other bytes in every format. */
function keyZones({ columns, keyColumns }: RowSchema): string {
  return keyColumns
    .map((at) => {
      const { type } = columns[at]!;
      return type.kind === 'TIMESTAMP' ? type.zoned : undefined;
    })
    .join();
}

/** Its records are read in one form: those of another would be read as other rows. (The shape of a key follows its columns.) */
function assertSameForm({ name, captured, properties }: SourceEntry, definition: CapturedTable): void {
  const { keyFormat, valueFormat, deletedField: marked, schemas, envelope, connector } = definition;
  const same =
    properties.keyFormat === keyFormat &&
    properties.valueFormat === valueFormat &&
    captured!.deletedField === marked &&
    captured!.envelope?.connector === envelope?.connector &&
    (captured!.schemas?.key ?? false) === (schemas?.key ?? false) &&
    (captured!.schemas?.value ?? false) === (schemas?.value ?? false) &&
    (captured!.schemas === undefined) === (schemas === undefined);
  if (same) return;
  throw new AppError(
    'already-exists',
    `table ${name} is captured in another form (format or deletes) than is asked for now`,
    {
      hint: `keep the form, or \`writethrough connect delete ${connector} --topics\` and create it again: it then begins with a snapshot`,
    },
  );
}

/** Two connectors would mix their rows, and a new snapshot cannot tell which rows of an earlier one are gone by now. */
function taken(topic: string, claim: Claim): AppError {
  return new AppError(
    'already-exists',
    `topic ${topic} holds ${claim.table} as connector ${claim.connector} captured it`,
    {
      hint: `give this connector another topic.prefix, or, when ${claim.connector} is gone, drop its tables first: DROP TABLE ... DELETE TOPIC`,
    },
  );
}

function staleRows(topic: string, connector: string): AppError {
  return new AppError(
    'already-exists',
    `topic ${topic} still holds what was captured before the position was given up`,
    {
      hint: `drop its table first (DROP TABLE ... DELETE TOPIC), or \`writethrough connect delete ${connector} --topics\` and create it again`,
    },
  );
}
