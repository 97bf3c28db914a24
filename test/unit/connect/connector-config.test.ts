// Connector configurations as files and clients write them: aliases, defaults, contradictions, unknown and refused properties, secrets.
import { describe, expect, it } from 'vitest';
import { propertyDefs, propertyFamilies } from '../../../src/connect/config-def.js';
import { askableSource, inspectConfig } from '../../../src/connect/config-inspection.js';
import { validate } from '../../../src/connect/config-validation.js';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { createRedact, maskSecrets, redactError, unmaskSecrets } from '../../../src/connect/connector-secrets.js';
import { AppError } from '../../../src/core/errors.js';

const base = {
  'connector.class': 'MySqlCdcSource',
  'database.hostname': 'h',
  'database.user': 'u',
  'database.password': 'p',
};
const errors = (config: Record<string, string>) =>
  inspectConfig('c', { ...base, ...config }).findings.filter(({ severity }) => severity === 'error');

describe('checkConfig', () => {
  const aliases = Object.values(propertyDefs)
    .flat()
    .flatMap((def) => (def.aliases ?? []).map((alias) => [alias, def.name] as const));
  it.each([...new Map(aliases)])('reads %s as %s', (alias, name) => {
    const value = name === 'topic.partitions' ? '3' : 'x';
    expect(inspectConfig('c', { ...base, [alias]: value }).values.get(name)).toBe(value);
  });

  it('takes two spellings of one property only with one value', () => {
    expect(errors({ 'table.include.list': 'a.b', 'table.whitelist': 'a.b' })).toEqual([]);
    expect(errors({ 'table.include.list': 'a.b', 'table.whitelist': 'a.c' })).toHaveLength(1);
  });

  it('is bounded in what it costs, whatever is written', () => {
    const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i)).join(',');
    const refused: readonly Record<string, string>[] = [
      Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`p${i}`, ''])),
      { transforms: many(100_000, (i) => `t${i}`) },
      { predicates: many(100_000, (i) => `p${i}`) },
      { 'topic.creation.groups': many(100_000, (i) => `g${i}`) },
      { 'table.include.list': many(100_000, (i) => `a.t${i}`) },
      { 'table.include.list': many(20, () => '((a|b){30}c){50}') },
      { 'message.key.columns': many(200_000, () => 'a') },
      { 'column.mask.with.5.chars': many(50_000, () => '(a|b)') },
      {
        transforms: 'r',
        'transforms.r.type': 'org.apache.kafka.connect.transforms.RegexRouter',
        'transforms.r.regex': '((a{99}){99}){99}',
      },
    ];
    for (const config of refused) {
      const begun = performance.now();
      expect(() => inspectConfig('c', { ...base, ...config })).toThrow(AppError);
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
    const taken = { 'table.include.list': `(((.+)+)+)+!,${many(5_000, (i) => `shop\\.t${i}`)}` };
    expect(errors(taken)).toEqual([]);
  });

  it('refuses parts of topics that Kafka does not take, and the name of a connector that would be one', () => {
    expect(errors({ 'topic.prefix': 'my shop' })).toEqual([
      {
        severity: 'error',
        code: 'bad-connector-config',
        property: 'topic.prefix',
        message: '"my shop" has characters that Kafka does not take in the name of a topic',
        hint: 'letters, digits, ".", "_" and "-", at most 249',
      },
    ]);
    const wrong = { 'database.server.name': 'ä', 'topic.heartbeat.prefix': 'a/b', 'topic.transaction': 'c d' };
    expect(errors(wrong).map(({ property }) => property)).toEqual(Object.keys(wrong));
    expect(errors({ 'transaction.topic': '${database.server.name}.tx' })).toEqual([]);
    const problems = (config: Record<string, string>) =>
      inspectConfig('my shop', { ...base, ...config }).findings.map(({ property }) => property);
    expect(problems({})).toEqual(['topic.prefix']);
    expect(problems({ 'topic.prefix': 'shop' })).toEqual([]);
  });

  it('names the nearest property for an unknown one, and every problem at once', () => {
    const found = errors({ 'table.include.lst': 'a.b', 'database.port': 'x', 'snapshot.mode': 'intial' });
    expect(found.map(({ property, hint }) => [property, hint])).toEqual([
      ['table.include.lst', 'did you mean "table.include.list"?'],
      ['database.port', undefined],
      ['snapshot.mode', 'did you mean "initial"?'],
    ]);
  });

  it('sets the defaults of the table, and names every required property that is missing', () => {
    expect(inspectConfig('c', base).values.get('database.port')).toBe('3306');
    const missing = inspectConfig('c', { 'connector.class': 'MySqlCdcSource' }).findings;
    expect(missing.map(({ property }) => property)).toEqual(['database.hostname', 'database.user']);
  });

  it('has a topic of schema changes where it is asked for, and with classes of Debezium as long as values are envelopes', () => {
    const debezium = { 'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector', 'topic.prefix': 'shop' };
    const flat = { transforms: 'u', 'transforms.u.type': 'io.debezium.transforms.ExtractNewRecordState' };
    const property = 'include.schema.changes';
    const of = (config: Record<string, string>) => checkConfig('c', { ...base, ...config });
    const topic = (config: Record<string, string>) => of(config).output.side.schemaChanges;
    expect(topic(debezium)).toEqual({ topic: 'shop', connector: 'mariadb', asked: false });
    expect(of(debezium).notes).toEqual([
      expect.objectContaining({ property, severity: 'note', message: expect.stringContaining('topic shop') as string }),
    ]);
    for (const config of [
      {},
      { 'connector.class': 'MySqlCdcSourceV2' },
      { 'connector.class': 'MariaDbCdcSource' },
      { ...debezium, ...flat },
      { ...debezium, 'output.shape': 'flat' },
      { ...debezium, [property]: 'false' },
    ])
      expect([config, topic(config)]).toEqual([config, undefined]);
    for (const config of [{}, { 'connector.class': 'MySqlCdcSourceV2' }, { ...debezium, ...flat }])
      expect(topic({ 'topic.prefix': 'shop', ...config, [property]: 'true' })?.topic).toBe('shop');
  });

  it('refuses what it would have to ignore, and takes the value that asks for nothing', () => {
    const refused = propertyDefs.mysql.filter(({ use }) => use === 'refused');
    expect(refused.length).toBeGreaterThan(5);
    for (const def of refused) {
      for (const harmless of def.harmless!)
        expect([def.name, errors({ [def.name]: harmless })]).toEqual([def.name, []]);
      const asked =
        def.values?.find((value) => !def.harmless!.includes(value)) ?? (def.type === 'BOOLEAN' ? 'true' : '1');
      if (def.harmless!.includes(asked)) continue;
      const found = errors({ [def.name]: asked });
      expect([def.name, found.length, found[0]?.hint !== undefined]).toEqual([def.name, 1, true]);
    }
  });

  it('refuses a list of classes once, whatever they are set to', () => {
    for (const list of ['converters', 'post.processors']) {
      const config = { [list]: 'isbn, other', 'isbn.type': 'com.example.Isbn', 'other.selector': 'a' };
      expect(errors(config).map(({ property }) => property)).toEqual([list]);
      expect(errors({ ...config, 'third.type': 'x' }).map(({ property }) => property)).toEqual([list, 'third.type']);
    }
  });

  it('names the reason for every value that exists elsewhere only', () => {
    for (const def of propertyDefs.mysql) {
      for (const [value, reason] of Object.entries(def.refusedValues ?? {})) {
        expect([def.name, errors({ [def.name]: value.toUpperCase() })]).toEqual([
          def.name,
          [expect.objectContaining({ message: expect.stringContaining(reason) as string })],
        ]);
      }
    }
  });

  it('knows families of properties: those that it does not need, and those that it refuses with the way', () => {
    for (const { name, use, doc } of propertyFamilies.mysql) {
      const key = name.replaceAll('*', 'any.thing');
      const found = inspectConfig('c', { ...base, [key]: 'x' }).findings;
      expect(found).toEqual([
        expect.objectContaining({ property: key, severity: use === 'accepted' ? 'note' : 'error' }),
      ]);
      expect(`${found[0]!.message} ${found[0]!.hint}`).toContain(doc);
    }
  });

  it('explains every property that it accepts and does not need', () => {
    const accepted = propertyDefs.mysql.filter(({ use, name }) => use === 'accepted' && name !== 'tasks.max');
    for (const def of accepted) {
      const value = def.values?.[0] ?? (def.type === 'INT' || def.type === 'LONG' ? '1' : 'x');
      expect([def.name, inspectConfig('c', { ...base, [def.name]: value }).findings]).toEqual([
        def.name,
        [expect.objectContaining({ severity: 'note', property: def.name, message: def.doc })],
      ]);
    }
  });

  it('prints names that nobody can see', () => {
    expect(errors({ '': 'x', ' ': 'y', 'database.port\u200b': '1', '\u00a0snapshot.mode': 'initial' })).toMatchObject([
      { property: '', message: 'unknown property "": a property without a name' },
      { message: 'unknown property " ": a property without a name' },
      { message: String.raw`unknown property "database.port\u200b"`, hint: 'did you mean "database.port"?' },
      { message: String.raw`unknown property "\u00a0snapshot.mode"`, hint: 'did you mean "snapshot.mode"?' },
    ]);
  });

  it('tells all problems in one error, each beside its repair', () => {
    const config = { ...base, 'snapshot.mode': 'intial', 'table.include.lst': 'a', '': 'x', 'database.port': '0' };
    let error: AppError | undefined;
    try {
      checkConfig('c', config);
    } catch (thrown) {
      error = thrown as AppError;
    }
    expect(error).toMatchObject({ code: 'bad-connector-config', message: 'connector c: 4 problems' });
    expect(error!.detail!.split('\n')).toEqual([
      'snapshot.mode: "intial" is not a value of snapshot.mode (did you mean "initial"?)',
      'table.include.lst: unknown property "table.include.lst" (did you mean "table.include.list"?)',
      '"": unknown property "": a property without a name (write the name before the colon)',
      'database.port: database.port is a number from 1 to 65535, not 0',
    ]);
  });

  it('takes the spellings of MariaDB and of older releases as what they mean', () => {
    const { values, findings } = inspectConfig('c', {
      ...base,
      'database.ssl.mode': 'Trust',
      'snapshot.mode': 'schema_only_recovery',
    });
    expect([values.get('database.ssl.mode'), values.get('snapshot.mode')]).toEqual(['required', 'no_data']);
    expect(findings).toMatchObject([{ severity: 'note', property: 'snapshot.mode' }]);
  });

  it('asks the server although something else is wrong, with what is in order', () => {
    const asked = (config: Record<string, string>) => askableSource(inspectConfig('c', { ...base, ...config }));
    expect(asked({ 'snapshot.mode': 'nope', colour: 'red', 'table.whitelist': 'a.b' })).toMatchObject({
      'database.hostname': 'h',
      'snapshot.mode': 'initial',
      'table.include.list': 'a.b',
    });
    expect(asked({ 'database.port': 'x' })).toBeUndefined();
    expect(asked({ 'table.whitelist': '(' })).toBeUndefined();
  });

  it.each([
    ['io.debezium.connector.postgresql.PostgresConnector', {}, /covered are/],
    ['io.confluent.connect.jdbc.JdbcSinkConnector', {}, /over HTTP/],
    ['MySqlCdcSourceV3', {}, /MySqlCdcSourceV2/],
  ])('refuses the class %s with the way to the same rows', (name, more, way) => {
    expect(() => checkConfig('c', { 'connector.class': name, ...more })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(way) as string }) as Error,
    );
  });

  it.each([
    ['MySqlCdcSource', {}, 'flat-with-deleted', undefined],
    ['MySqlCdcSource', { 'after.state.only': 'false' }, 'envelope', 'mysql'],
    ['MySqlCdcSourceV2', {}, 'envelope', 'mysql'],
    ['MySqlCdcSourceV2', { 'after.state.only': 'true' }, 'flat-with-deleted', undefined],
    ['MariaDbCdcSource', {}, 'envelope', 'mariadb'],
    ['io.debezium.connector.mysql.MySqlConnector', {}, 'envelope', 'mysql'],
    ['io.debezium.connector.mariadb.MariaDbConnector', { 'output.shape': 'flat' }, 'flat', undefined],
  ])('takes the shape of values from the class %s and from %j', (name, more, shape, connector) => {
    const { output } = checkConfig('c', { ...base, 'connector.class': name, ...more });
    expect([output.shape, output.envelope?.connector]).toEqual([shape, connector]);
  });

  it('does not show a password that was written without quotes', () => {
    const found = inspectConfig('c', { ...base, 'database.password': 12345 as unknown as string }).findings;
    expect(JSON.stringify(found)).not.toContain('12345');
  });
});

describe('secrets', () => {
  it('are masked by name; references are shown', () => {
    expect(maskSecrets({ ...base, 'kafka.api.secret': 's', 'database.user': 'u' })).toMatchObject({
      'database.password': '****',
      'kafka.api.secret': '****',
      'database.user': 'u',
    });
    expect(maskSecrets({ 'database.password': '${env:PW}' })).toEqual({ 'database.password': '${env:PW}' });
  });

  it('are not sent to another address than the one that they were given for', () => {
    const earlier = { 'database.hostname': 'h', 'database.port': '3306', 'database.password': 'p' };
    const back = { ...earlier, 'database.password': '****' };
    expect(unmaskSecrets(back, earlier)).toEqual(earlier);
    expect(unmaskSecrets({ ...back, 'database.user': 'other' }, earlier)).toMatchObject({ 'database.password': 'p' });
    for (const [name, value] of [
      ['database.hostname', 'elsewhere'],
      ['database.port', '3307'],
      ['connection.url', 'jdbc:mysql://elsewhere/d'],
    ] as const) {
      expect(() => unmaskSecrets({ ...back, [name]: value }, earlier)).toThrow(/database\.password: it is kept for/);
      expect(unmaskSecrets({ ...earlier, [name]: value }, earlier)).toMatchObject({ 'database.password': 'p' });
    }
    const url = { 'connection.url': 'jdbc:mysql://h/d?password=p' };
    expect(unmaskSecrets(maskSecrets(url), url)).toEqual(url);
    const named = { ...earlier, 'database.password': '${env:PW}' };
    expect(unmaskSecrets({ ...named, 'database.hostname': 'elsewhere' }, named)).toMatchObject({
      'database.password': '${env:PW}',
    });
  });

  it('survive being read masked and sent back', () => {
    const sent = unmaskSecrets({ 'database.password': '****', 'database.user': '****' }, { 'database.password': 'p' });
    expect(sent).toEqual({ 'database.password': 'p', 'database.user': '****' });
  });

  const environment: Record<string, string> = { '${env:A}': 'value-of-a', '${file:b}': 'value-of-b' };
  const resolve = (config: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{[^}]*\}/g, (found) => environment[found]!),
      ]),
    );

  it('do not come out in errors, wherever their reference stands', () => {
    const config = {
      ...base,
      'database.password': 'inline-pw',
      'snapshot.mode': '${env:A}',
      'database.hostname': 'x-${file:b}',
    };
    const redact = createRedact(config, resolve);
    const error = redactError(
      new AppError('bad-connector-config', 'value-of-a', { detail: 'inline-pw', hint: 'at x-value-of-b' }),
      redact,
    );
    expect([error.message, error.detail, error.hint]).toEqual(['${env:A}', '****', 'at x-${file:b}']);
  });

  it('do not come out of validate', async () => {
    const given = {
      ...base,
      name: 'c',
      'snapshot.mode': '${env:A}',
      'topic.prefix': '${file:b}',
      'database.port': '${env:A}',
    };
    const answer = await validate('MySqlCdcSource', given, { resolve, problems: () => Promise.resolve([]) });
    expect(answer.error_count).toBe(2);
    expect(JSON.stringify(answer)).not.toContain('value-of');
    expect(JSON.stringify(answer)).toContain('${file:b}');
  });
});
