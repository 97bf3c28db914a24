import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AppError, errorCodes, fromErrorMessage, toAppError, toErrorMessage } from '../../../src/core/errors.js';

const readme = new URL('../../../README.md', import.meta.url);

/** The table of the README, made from the one table of the source. */
function codesTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, [status, meaning]]) => `| \`${code}\` | ${status} | ${meaning} |`,
  );
  return ['<!-- errors:begin -->', '| code | HTTP | means |', '|---|---|---|', ...rows, '<!-- errors:end -->'].join(
    '\n',
  );
}

describe('errors', () => {
  it('the README tells every code as the source does (REWRITE=1 updates it)', () => {
    const text = readFileSync(readme, 'utf8');
    const written = /<!-- errors:begin -->[\s\S]*<!-- errors:end -->/;
    if (process.env['REWRITE'] === '1')
      writeFileSync(
        readme,
        text.replace(written, () => codesTable()),
      );
    expect(written.exec(readFileSync(readme, 'utf8'))?.[0]).toBe(codesTable());
  });

  it('an error that crosses a thread keeps everything but its class and cause', () => {
    const error = new AppError('bad-key', 'no such key', {
      detail: 'd',
      hint: 'h',
      retriable: true,
      place: { line: 3 },
      cause: new Error('x'),
    });
    const back = fromErrorMessage(structuredClone(toErrorMessage(error)));
    expect(back).toMatchObject({
      code: 'bad-key',
      message: 'no such key',
      detail: 'd',
      hint: 'h',
      retriable: true,
      place: { line: 3 },
    });
  });
});

it('tells what the machine did not give from a bug', () => {
  const lacking = (code: string) => toAppError(Object.assign(new Error('open x'), { code }));
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ERR_WORKER_INIT_FAILED', 'ERR_WORKER_OUT_OF_MEMORY'])
    expect(lacking(code)).toMatchObject({ code: 'overloaded', retriable: true, detail: 'open x' });
  expect(lacking('EACCES').code).toBe('internal');
  for (const odd of [null, undefined, 'text', 7, { code: 'constructor' }])
    expect(toAppError(odd)).toMatchObject({ code: 'internal' });
});
