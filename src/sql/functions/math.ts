// Functions of numbers. Whole numbers stay exact; DECIMALs keep their scale except where ROUND drops it.
import { BIGINT, DOUBLE, INTEGER, integerValue, type DataType, type Value } from '../../core/data-type.js';
import { big, divideHalfUp, powerOfTen, rescale } from '../../core/decimal.js';
import { fitDecimal, roundToward } from './decimal.js';
import { scalar, type FunctionBody, type ScalarFunction } from './function.js';

const sameType = (args: readonly DataType[]): DataType => args[0]!;
const decimalOf = (args: readonly DataType[]): Decimal => args[0] as Decimal;

type Decimal = DataType & { kind: 'DECIMAL' };

/**
 * A rounded number may have a digit more than its type. As in ksqlDB it is taken as it is, unless the type is one whose values the store
 * keeps as text of fixed length: then it does not fit.
 */
function rounded(value: bigint, { precision, scale }: Decimal): number | bigint {
  return precision <= 18 ? integerValue(value) : fitDecimal(value, precision, scale);
}

function onDouble(name: string, description: string, f: (x: number) => number): ScalarFunction {
  return scalar(name, description, [
    { params: [DOUBLE], result: DOUBLE, body: (x) => (x === null ? null : f(x as number)) },
  ]);
}

const absolute: FunctionBody = (x) => {
  if (x === null) return null;
  return typeof x === 'bigint' ? integerValue(x < 0n ? -x : x) : Math.abs(x as number);
};

const sign: FunctionBody = (x) => {
  if (x === null) return null;
  return typeof x === 'bigint' ? (x < 0n ? -1 : x > 0n ? 1 : 0) : (x as number) < 0 ? -1 : (x as number) > 0 ? 1 : 0;
};

const unchanged: FunctionBody = (x) => x!;

/** CEIL and FLOOR: whole numbers as they are, DECIMALs at their own scale. */
function whole(name: string, description: string, up: boolean): ScalarFunction {
  return scalar(name, description, [
    { params: [INTEGER], result: INTEGER, body: unchanged },
    { params: [BIGINT], result: BIGINT, body: unchanged },
    {
      params: ['DECIMAL'],
      result: sameType,
      body: {
        make: (args) => {
          const type = decimalOf(args);
          const unit = powerOfTen(type.scale);
          return (x) => (x === null ? null : rounded(roundToward(big(x!), type.scale, up) * unit, type));
        },
      },
    },
    {
      params: [DOUBLE],
      result: DOUBLE,
      body: (x) => (x === null ? null : up ? Math.ceil(x as number) : Math.floor(x as number)),
    },
  ]);
}

/** Java's Math.round: to the nearest, halves up, into a BIGINT. */
function roundDouble(x: Value): Value {
  if (x === null) return null;
  const rounded = Math.round(x as number);
  if (Number.isNaN(rounded)) return 0;
  if (rounded >= 2 ** 63) return 2n ** 63n - 1n;
  if (rounded <= -(2 ** 63)) return -(2n ** 63n);
  return integerValue(BigInt(rounded));
}

/** To so many places, halves away from zero on the decimal text, so that 2.675 gives 2.68. */
function roundDoubleTo(x: Value, places: Value): Value {
  if (x === null || places === null) return null;
  const value = x as number;
  if (!Number.isFinite(value)) return value;
  const [digits, exponent] = Math.abs(value).toExponential().split('e') as [string, string];
  const unscaled = BigInt(digits.replace('.', ''));
  const scale = digits.length - (digits.includes('.') ? 2 : 1) - Number(exponent);
  const drop = scale - (places as number);
  if (drop <= 0) return value;
  // Less than half of the unit, which nobody has to write out.
  if (drop > digits.length) return 0;
  const rounded = divideHalfUp(unscaled, powerOfTen(drop));
  return Math.sign(value) * Number(`${rounded}e${-(places as number)}`);
}

/** What is in front of its point. */
function wholeOf({ precision, scale }: Decimal): Decimal {
  return { kind: 'DECIMAL', precision: Math.max(precision - scale, 1), scale: 0 };
}

const roundDecimalTo = {
  make: (args: readonly DataType[]): FunctionBody => {
    const type = decimalOf(args);
    const { precision, scale } = type;
    return (x, places) => {
      if (x === null || places === null) return null;
      const drop = scale - (places as number);
      if (drop <= 0) return x!;
      if (drop > precision) return 0;
      const unit = powerOfTen(drop);
      return rounded(divideHalfUp(big(x!), unit) * unit, type);
    };
  },
};

export const mathFunctions: readonly ScalarFunction[] = [
  scalar('ABS', 'without the sign', [
    { params: [INTEGER], result: INTEGER, body: absolute },
    { params: [BIGINT], result: BIGINT, body: absolute },
    { params: ['DECIMAL'], result: sameType, body: absolute },
    { params: [DOUBLE], result: DOUBLE, body: absolute },
  ]),
  scalar('SIGN', '-1, 0 or 1', [
    { params: [INTEGER], result: INTEGER, body: sign },
    { params: [BIGINT], result: INTEGER, body: sign },
    { params: ['DECIMAL'], result: INTEGER, body: sign },
    { params: [DOUBLE], result: INTEGER, body: sign },
  ]),
  whole('CEIL', 'the next whole number above', true),
  whole('FLOOR', 'the next whole number below', false),
  scalar('ROUND', 'to the nearest whole number, or to so many decimal places', [
    { params: [INTEGER], result: INTEGER, body: unchanged },
    { params: [BIGINT], result: BIGINT, body: unchanged },
    {
      params: ['DECIMAL'],
      result: (args) => wholeOf(decimalOf(args)),
      body: {
        make: (args) => {
          const type = decimalOf(args);
          const whole = wholeOf(type);
          return (x) => (x === null ? null : rounded(rescale(big(x!), type.scale, 0), whole));
        },
      },
    },
    { params: [DOUBLE], result: BIGINT, body: roundDouble as FunctionBody },
    { params: ['DECIMAL', INTEGER], result: sameType, body: roundDecimalTo },
    { params: [DOUBLE, INTEGER], result: DOUBLE, body: roundDoubleTo as FunctionBody },
  ]),
  onDouble('EXP', 'e to the power of', Math.exp),
  onDouble('LN', 'natural logarithm', Math.log),
  onDouble('SQRT', 'square root', Math.sqrt),
];
