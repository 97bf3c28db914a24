// Runs every golden file under test/golden/sql. GOLDEN_REWRITE=1 writes what really came into the files instead of comparing;
// the difference is then read and committed, or not.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/errors.js';
import { GoldenEngine } from '../support/golden/golden-engine.js';
import { parseGolden, rewriteGolden, type GoldenStep } from '../support/golden/golden-file.js';

const folder = fileURLToPath(new URL('./sql/', import.meta.url));
const rewrites = process.env['GOLDEN_REWRITE'] === '1';

/** What a step gives; null where nothing is expected. */
function run(engine: GoldenEngine, step: GoldenStep): readonly string[] | null {
  switch (step.kind) {
    case 'statement':
      engine.execute(step.sql);
      return null;
    case 'ingest':
      engine.ingest(step.source, step.records);
      return null;
    case 'query':
      return engine.query(step.text);
    case 'changes':
      return engine.changes(step.text);
    case 'error':
      return [messageOf(engine, step.text)];
  }
}

function messageOf(engine: GoldenEngine, sql: string): string {
  try {
    if (/^\s*select/i.test(sql)) engine.query(sql);
    else engine.execute(sql);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
  throw new Error(`accepted, although it should be an error: ${sql}`);
}

describe('golden files', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.test'));

  it.each(names)('%s', (name) => {
    const path = folder + name;
    const text = readFileSync(path, 'utf8');
    const engine = new GoldenEngine(name.includes('strict'));
    const actual = new Map<GoldenStep, readonly string[]>();
    for (const step of parseGolden(text)) {
      const found = run(engine, step);
      if (found === null) continue;
      actual.set(step, found);
      if (rewrites || (step.kind !== 'query' && step.kind !== 'changes' && step.kind !== 'error')) continue;
      const where = `${name}:${step.line}`;
      if (step.kind === 'error') expect(found[0], where).toContain(step.expected.join('\n'));
      else expect(found, where).toEqual(step.expected);
    }
    // An empty expectation of an error would be met by any.
    for (const step of actual.keys()) if (step.kind === 'error' && !rewrites) expect(step.expected).not.toEqual([]);
    if (rewrites) writeFileSync(path, rewriteGolden(text, actual));
  });
});
