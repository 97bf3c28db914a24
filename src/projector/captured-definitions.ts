// Definitions of captured tables: topic, schemas and table of each are made by one append. A captured table keeps its topic; where two
// names give the same one (they may differ only in what a topic's name cannot hold) the later gets a suffix of its own. Who fills a
// topic is told by the catalogue, and for what is captured without a table by a document.
import { hash } from 'node:crypto';
import type { SourceEntry } from '../catalog/catalog.js';
import { AppError } from '../core/errors.js';
import { noPosition } from '../core/append.js';
import { nothingAsked } from '../core/topic-retention.js';
import { avroKeySchema, avroValueSchema } from '../schema/formats/avro-schema.js';
import { deletedField } from '../schema/formats/format.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import { ensureTopic } from './defined-topics.js';
import { assertSameColumns, assertSameTimes } from './definition-checks.js';
import type { CapturedResult, CapturedTable } from './definition.js';
import type { SourceDefinitions } from './source-definitions.js';

/** Documents of topics that are filled without a table. */
export const claimKind = 'topic-claim';

/** Who fills a topic. */
export interface Claim {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
}

/** The topics that a captured table may have, the one that is tried first in front. */
export function topicsOfCaptured(named: string, database: string, table: string): readonly [string, string] {
  return [named, `${named}_${hash('sha1', `${database}.${table}`).slice(0, 8)}`];
}

export class CapturedDefinitions {
  readonly #env: ApplierEnv;
  readonly #sources: SourceDefinitions;

  constructor(env: ApplierEnv, sources: SourceDefinitions) {
    this.#env = env;
    this.#sources = sources;
  }

  /** Idempotent: after a restart everything is there. Throws already-exists where the topic holds what is not the table's. */
  capture(definition: CapturedTable, reached: Frontier): CapturedResult {
    const { state, topics, registry } = this.#env;
    const { connector, database, table, partitions, cleanup, keyFormat, valueFormat } = definition;
    const topic = this.#topicFor(definition, reached);
    const seen = definition.seen[topic] ?? null;
    const retention = { retention: nothingAsked, defaults: definition.retention ?? nothingAsked };
    ensureTopic(topics, { name: topic, partitions, cleanup, ...retention, seen, otherwise: null });
    const extra = definition.deletedField ? [deletedField] : [];
    const keySchemaId =
      keyFormat === 'AVRO'
        ? registry.registerNow(`${topic}-key`, avroKeySchema(topic, definition.key, definition.keyShape), 'AVRO')
        : undefined;
    const valueSchemaId =
      valueFormat === 'AVRO'
        ? registry.registerNow(`${topic}-value`, avroValueSchema(topic, definition.value, extra), 'AVRO')
        : undefined;
    if (definition.createTable) {
      this.#addTable(definition, topic);
      state.deleteDocument(claimKind, topic);
    } else state.putDocument(claimKind, topic, JSON.stringify({ connector, table: `${database}.${table}` }));
    return { kind: 'captured', topic, keySchemaId, valueSchemaId };
  }

  /** A statement drops the table and leaves the topic. True: its connector goes on to fill that. */
  keepClaim({ captured, properties: { topic } }: SourceEntry): boolean {
    if (captured === null || !this.#env.isConnector(captured.connector)) return false;
    const { connector, table } = captured;
    this.#env.state.putDocument(claimKind, topic, JSON.stringify({ connector, table } satisfies Claim));
    return true;
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

  #addTable(definition: CapturedTable, topic: string): void {
    const { catalog, topics } = this.#env;
    const { connector, database, table, schema, partitions, keyFormat, valueFormat, hidden } = definition;
    const qualified = `${database}.${table}`;
    const existing = catalog
      .all()
      .find((entry) => entry.properties.topic === topic && entry.sourceKind === 'table' && entry.writtenBy === null);
    if (existing) {
      assertSameColumns(existing, schema, `captured table ${qualified}`);
      assertSameTimes(existing, schema, qualified);
      return;
    }
    const name = catalog.find(table) === undefined ? table : `${database}_${table}`;
    if (catalog.find(name)) {
      throw new AppError(
        'already-exists',
        `no name is left for captured table ${qualified}: ${table} and ${name} exist`,
      );
    }
    // The topic of a table that was dropped, or was not wanted before, holds the rows that the connector will not send again.
    const empty = topics.isEmpty(topic);
    const { deletedField: hasDeletedField, keyShape } = definition;
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
        captured: { connector, table: qualified, deletedField: hasDeletedField, keyShape, awaitsSnapshot: hidden },
        visible: !hidden && empty,
        failed: null,
        schemaIds: null,
      },
      empty,
    );
  }

  #topicFor({ connector, producer, database, table, topic: named }: CapturedTable, reached: Frontier): string {
    const qualified = `${database}.${table}`;
    const candidates = topicsOfCaptured(named, database, table);
    const own = candidates.find((each) => {
      const claim = this.#claimOn(each);
      return claim?.connector === connector && claim.table === qualified;
    });
    // Only another table of this connector is evaded; one of another connector is in the way, whatever the topic is called.
    const topic = own ?? (this.#claimOn(named)?.connector === connector ? candidates[1] : named);
    const claim = this.#claimOn(topic);
    if (claim !== undefined && claim.connector !== connector) throw taken(topic, claim);
    if (claim !== undefined && reached.positions[producer] === noPosition) throw staleRows(topic, connector);
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
