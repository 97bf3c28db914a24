// A checker of a data file that knows nothing of the program's memory: everything in it has an owner. Each line of the answer names what
// has none. What is being taken away (a deleted topic, a version that was swapped out) is there for a moment; ask until nothing is left.
// Not its business: topics without a table, and captured tables without a connector, which a user may keep.
import { Database } from './sqlite-driver.js';

type Document = Readonly<Record<string, unknown>>;

interface SourceDocument {
  readonly name: string;
  readonly table: { readonly id: number; readonly version: number } | null;
  readonly writtenBy: string | null;
}

interface QueryDocument {
  readonly id: string;
  readonly sink: string;
  readonly number: number;
}

interface BuildDocument {
  readonly table: string;
  readonly version: number;
}

/** Of the data file of the embedded log, or of one that follows Kafka. May be asked while the program runs. */
export function ownerless(path: string): string[] {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return database.transaction(() => new DataFile(database).ownerless())();
  } finally {
    database.close();
  }
}

class DataFile {
  readonly #database: InstanceType<typeof Database>;
  readonly #found: string[] = [];
  readonly #sources: ReadonlyMap<string, SourceDocument>;
  readonly #queries: ReadonlyMap<string, QueryDocument>;
  readonly #builds: readonly BuildDocument[];
  /** `<id>_v<version>` */
  readonly #versions = new Set<string>();
  /** `q<number>v<version>` and `rebuild_<id>_v<version>` */
  readonly #states = new Set<string>();

  constructor(database: InstanceType<typeof Database>) {
    this.#database = database;
    const byKey = <T>(documents: readonly T[], key: (document: T) => string) =>
      new Map(documents.map((document) => [key(document), document]));
    this.#sources = byKey(this.#documents<SourceDocument>('source'), ({ name }) => name.toUpperCase());
    this.#queries = byKey(this.#documents<QueryDocument>('query'), ({ id }) => id);
    this.#builds = this.#documents<BuildDocument>('build');
    for (const { name, table } of this.#sources.values()) this.#own(name, table?.version ?? 1);
    for (const { table, version } of this.#builds) {
      this.#own(table, version);
      this.#states.add(`rebuild_${this.#source(table)?.table?.id}_v${version}`);
    }
  }

  #documents<T = Document>(kind: string): T[] {
    return this.#rows<{ json: string }>('SELECT json FROM wt_document WHERE kind = ?', kind).map(
      ({ json }) => JSON.parse(json) as T,
    );
  }

  #rows<T>(sql: string, ...values: readonly unknown[]): T[] {
    return this.#database.prepare(sql).all(...values) as T[];
  }

  #source(name: string): SourceDocument | undefined {
    return this.#sources.get(name.toUpperCase());
  }

  #own(name: string, version: number): void {
    const source = this.#source(name);
    if (source === undefined) return;
    if (source.table !== null) this.#versions.add(`${source.table.id}_v${version}`);
    const query = source.writtenBy === null ? undefined : this.#queries.get(source.writtenBy);
    if (query !== undefined) this.#states.add(`q${query.number}v${version}`);
  }

  ownerless(): string[] {
    this.#checkDocuments();
    const names = new Map(
      this.#rows<{ name: string; type: string }>('SELECT name, type FROM sqlite_schema').map(({ name, type }) => [
        name,
        type,
      ]),
    );
    this.#checkTables(names);
    this.#checkStates(names);
    this.#checkFeed();
    if (names.has('wt_topic')) this.#checkLog();
    return this.#found;
  }

  #checkDocuments(): void {
    for (const { id, sink } of this.#queries.values())
      if (this.#source(sink)?.writtenBy !== id) this.#found.push(`query ${id}: its sink ${sink} is not written by it`);
    for (const { name, writtenBy } of this.#sources.values())
      if (writtenBy !== null && !this.#queries.has(writtenBy))
        this.#found.push(`${name}: the query ${writtenBy} that writes it is not there`);
    for (const { table } of this.#builds)
      if (this.#source(table) === undefined) this.#found.push(`build of ${table}, which is not there`);
  }

  #checkTables(names: ReadonlyMap<string, string>): void {
    const rows = this.#rows<{ id: number; version: number; name: string; visible: number }>('SELECT * FROM wt_table');
    const versions = new Set(rows.map(({ id, version }) => `${id}_v${version}`));
    for (const { id, version, name } of rows)
      if (!this.#versions.has(`${id}_v${version}`)) this.#found.push(`wt_table ${id}_v${version} (${name})`);
    for (const owned of this.#versions) if (!versions.has(owned)) this.#found.push(`no wt_table for t${owned}`);
    for (const version of versions)
      if (names.get(`t${version}`) !== 'table') this.#found.push(`wt_table ${version} without its table`);
    for (const [name, type] of names)
      if (type === 'table' && /^t\d+_v\d+$/.test(name) && !versions.has(name.slice(1)))
        this.#found.push(`table ${name}`);
    const shown = new Set(rows.filter(({ visible }) => visible === 1).map(({ name }) => name.toUpperCase()));
    const views = [...names].filter(([, type]) => type === 'view').map(([name]) => name.toUpperCase());
    for (const view of views)
      if (!shown.has(view) && !shown.has(view.replace(/_VIEW$/, ''))) this.#found.push(`view ${view}`);
    if (views.length !== shown.size) this.#found.push(`${views.length} views of ${shown.size} visible tables`);
  }

  #checkStates(names: ReadonlyMap<string, string>): void {
    const rows = this.#rows<{ id: number; name: string }>('SELECT id, name FROM wt_keyed_state');
    for (const { id, name } of rows) {
      if (!this.#states.has(name) && !this.#states.has(name.slice(0, name.indexOf('_'))))
        this.#found.push(`operator state ${name}`);
      if (!names.has(`wt_state_${id}`)) this.#found.push(`operator state ${name} without its table`);
    }
    const ids = new Set(rows.map(({ id }) => `wt_state_${id}`));
    for (const name of names.keys()) if (/^wt_state_\d+$/.test(name) && !ids.has(name)) this.#found.push(name);
  }

  #checkFeed(): void {
    const ids = new Set([...this.#versions].map((version) => Number(version.split('_')[0])));
    const check = (table: string) => {
      for (const { id, n } of this.#rows<{ id: number; n: number }>(
        `SELECT table_id AS id, count(*) AS n FROM ${table} GROUP BY 1`,
      ))
        if (!ids.has(id)) this.#found.push(`${n} rows of ${table} of table ${id}`);
    };
    check('wt_feed');
    check('wt_feed_start');
    const [{ told, there }] = this.#rows<{ told: number; there: number }>(
      'SELECT (SELECT feed_bytes FROM wt_frontier) AS told, (SELECT ifnull(sum(bytes), 0) FROM wt_feed) AS there',
    ) as [{ told: number; there: number }];
    if (told !== there) this.#found.push(`the feed is said to hold ${told} bytes and holds ${there}`);
  }

  #checkLog(): void {
    for (const { id } of this.#rows<{ id: number }>('SELECT id FROM wt_topic WHERE deleted = 1'))
      this.#found.push(`deleted topic ${id}`);
    for (const table of ['wt_batch', 'wt_partition'])
      for (const { id } of this.#rows<{ id: number }>(
        `SELECT DISTINCT topic_id AS id FROM ${table} WHERE topic_id NOT IN (SELECT id FROM wt_topic)`,
      ))
        this.#found.push(`${table} of topic ${id}, which is not there`);
    for (const { seq, told, there } of this.#rows<{ seq: number; told: number; there: number }>(
      `SELECT * FROM (
         SELECT first_seq AS seq, batches AS told, (
           SELECT count(*) FROM wt_batch
           WHERE derived = 0 AND wt_batch.first_seq BETWEEN wt_commit.first_seq AND wt_commit.last_seq
         ) AS there FROM wt_commit
       ) WHERE told <> there`,
    ))
      this.#found.push(`commit ${seq} is said to have ${told} batches and has ${there}`);
    for (const { id } of this.#rows<{ id: number }>(
      `SELECT id FROM wt_batch WHERE derived = 0 AND NOT EXISTS (
         SELECT 1 FROM wt_commit WHERE wt_batch.first_seq BETWEEN wt_commit.first_seq AND wt_commit.last_seq)`,
    ))
      this.#found.push(`batch ${id} of no commit`);
  }
}
