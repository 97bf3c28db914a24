// Every class that is listed tells its properties.
import { describe, expect, it } from 'vitest';
import { pluginDefinitions } from '../../../src/connect/plugin-definitions.js';
import { pluginInfos } from '../../../src/connect/plugin-infos.js';

const names = (plugin: string) => pluginDefinitions(plugin).map(({ name }) => name);

describe('the definitions of a class', () => {
  it('are there for each that is listed', () => {
    for (const { class: name } of pluginInfos('1', true)) {
      for (const definition of pluginDefinitions(name))
        expect(definition).toMatchObject({ name: expect.any(String), documentation: expect.any(String) });
    }
  });

  it('have the names that stand behind its place in a configuration', () => {
    expect(names('io.debezium.transforms.ExtractNewRecordState')).toContain('delete.tombstone.handling.mode');
    expect(new Set(names('org.apache.kafka.connect.transforms.RegexRouter'))).toEqual(
      new Set(['regex', 'replacement']),
    );
    expect(names('RegexRouter')).toEqual(names('org.apache.kafka.connect.transforms.RegexRouter'));
    expect(names('org.apache.kafka.connect.transforms.predicates.TopicNameMatches')).toEqual(['pattern']);
    expect(names('org.apache.kafka.connect.json.JsonConverter')).toContain('schemas.enable');
    expect(names('MySqlConnector')).toEqual(names('io.debezium.connector.mysql.MySqlConnector'));
    expect(names('MySqlCdcSource')).toEqual(
      expect.arrayContaining(['database.hostname', 'verify.schedule.interval.ms']),
    );
    expect(names('JdbcSourceConnector')).not.toContain('verify.schedule.interval.ms');
  });

  it('are missing, with the nearest name, for what is no class', () => {
    expect(() => pluginDefinitions('MySqlCdcSourse')).toThrow(
      expect.objectContaining({ code: 'unknown-plugin', hint: 'did you mean "MySqlCdcSource"?' }),
    );
  });
});
