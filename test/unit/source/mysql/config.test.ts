import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/source/mysql/config.js';
import { TableFilter } from '../../../../src/source/mysql/filters.js';

const base = { 'database.hostname': 'h', 'database.user': 'u' };

describe('the configuration', () => {
  it('has defaults for what is left out', () => {
    expect(parseConfig(base)).toMatchObject({
      port: 3306,
      sslMode: 'preferred',
      snapshotMode: 'initial',
      serverId: undefined,
      chunkRows: 20_000,
      snapshotThreads: 4,
    });
  });

  it.each([
    [{ 'database.user': 'u' }, 'database.hostname'],
    [{ ...base, 'database.port': '99999' }, 'database.port'],
    [{ ...base, 'snapshot.mode': 'recovery' }, 'snapshot.mode'],
    [{ ...base, 'snapshot.max.threads': '0' }, 'snapshot.max.threads'],
    [{ ...base, 'database.ssl.mode': 'verify_ca' }, 'database.ssl.mode'],
    [{ ...base, 'table.include.list': '(' }, 'table.include.list'],
  ])('refuses %j, naming the property', (config, property) => {
    expect(() => parseConfig(config as unknown as Record<string, string>)).toThrowError(
      expect.objectContaining({ code: 'bad-connector-config', place: { path: property } }) as Error,
    );
  });
});

describe('the filter', () => {
  const filter = (more: Record<string, string>) => new TableFilter(parseConfig({ ...base, ...more }));

  it('matches whole names, without regard to case', () => {
    const shop = filter({ 'database.include.list': 'shop', 'table.include.list': 'shop\\.(orders|items)' });
    expect(shop.matches('shop', 'orders')).toBe(true);
    expect(shop.matches('Shop', 'ITEMS')).toBe(true);
    expect(shop.matches('shop', 'orders2')).toBe(false);
    expect(shop.matches('shop2', 'orders')).toBe(false);
  });

  it('never captures system schemas, and honours exclude lists', () => {
    const all = filter({ 'table.exclude.list': '.*\\.tmp_.*', 'database.exclude.list': 'private' });
    expect(all.matches('mysql', 'user')).toBe(false);
    expect(all.matches('shop', 'tmp_1')).toBe(false);
    expect(all.matches('private', 'x')).toBe(false);
    expect(all.matches('shop', 'x')).toBe(true);
  });

  it('knows which tables were named, not only matched', () => {
    const named = filter({ 'table.include.list': 'shop\\.orders,shop.items,shop.*' });
    expect([named.names('shop', 'orders'), named.names('shop', 'items'), named.names('shop', 'other')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('leaves out columns by their full name', () => {
    const masked = filter({ 'column.exclude.list': 'shop\\.users\\.(password|token)' });
    expect(masked.capturesColumn('shop', 'users', 'password')).toBe(false);
    expect(masked.capturesColumn('shop', 'users', 'name')).toBe(true);
  });
});
