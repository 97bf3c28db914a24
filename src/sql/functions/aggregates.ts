// The aggregate functions as the analyser knows them: names and types. Their bodies are operators of dataflow, because they
// keep state and take changes back.
import { BIGINT, DOUBLE, type DataType } from '../../core/data-type.js';
import { isNumber } from './common-type.js';

export interface AggregateFunction {
  readonly name: string;
  readonly description: string;
  readonly signatures: readonly string[];
  /** The result's type for these arguments, or null when they do not fit. */
  resolve(args: readonly DataType[]): DataType | null;
  /** ksqlDB allows it over a stream only, because its own cannot take a value back. */
  readonly streamOnlyInKsql: boolean;
}

const orderedKinds = ['INTEGER', 'BIGINT', 'DOUBLE', 'DECIMAL', 'STRING', 'BYTES', 'DATE', 'TIME', 'TIMESTAMP'];
const oneOf = (args: readonly DataType[], accepts: (type: DataType) => boolean): DataType | null =>
  args.length === 1 && accepts(args[0]!) ? args[0]! : null;
const isOrdered = (type: DataType): boolean => orderedKinds.includes(type.kind);

const functions: readonly AggregateFunction[] = [
  {
    name: 'COUNT',
    description: 'number of rows, or of those whose argument is not NULL',
    signatures: ['COUNT(*)', 'COUNT(T)'],
    resolve: (args) => (args.length < 2 ? BIGINT : null),
    streamOnlyInKsql: false,
  },
  {
    name: 'SUM',
    description: 'sum of the values that are not NULL',
    signatures: ['SUM(INTEGER)', 'SUM(BIGINT)', 'SUM(DECIMAL)', 'SUM(DOUBLE)'],
    resolve: (args) => oneOf(args, isNumber),
    streamOnlyInKsql: false,
  },
  {
    name: 'AVG',
    description: 'mean of the values that are not NULL',
    signatures: ['AVG(INTEGER)', 'AVG(BIGINT)', 'AVG(DECIMAL)', 'AVG(DOUBLE)'],
    resolve: (args) => oneOf(args, isNumber) && DOUBLE,
    streamOnlyInKsql: false,
  },
  {
    name: 'MIN',
    description: 'smallest value that is not NULL',
    signatures: ['MIN(T)'],
    resolve: (args) => oneOf(args, isOrdered),
    streamOnlyInKsql: true,
  },
  {
    name: 'MAX',
    description: 'largest value that is not NULL',
    signatures: ['MAX(T)'],
    resolve: (args) => oneOf(args, isOrdered),
    streamOnlyInKsql: true,
  },
];

const byName = new Map(functions.map((fn) => [fn.name, fn]));
export const aggregateNames: readonly string[] = functions.map((fn) => fn.name);

/** By name, in any case. */
export function findAggregate(name: string): AggregateFunction | undefined {
  return byName.get(name.toUpperCase());
}
