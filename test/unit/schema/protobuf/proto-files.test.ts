// .proto texts: what is taken, in which one form it is kept, and what is refused where.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/core/errors.js';
import { linkProto } from '../../../../src/schema/protobuf/descriptors.js';
import { parseProto } from '../../../../src/schema/protobuf/proto-parser.js';
import { printProto } from '../../../../src/schema/protobuf/proto-printer.js';
import { wellKnownFiles } from '../../../../src/schema/protobuf/well-known.js';

const form = (text: string) => printProto(parseProto(text));

function refusal(text: string): string {
  try {
    linkProto(text);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid-schema');
    return (error as AppError).detail ?? '';
  }
  throw new Error(`${text} was taken`);
}

const everything = `syntax = 'proto3' ; /* a file */ package shop . orders;
import "confluent/meta.proto"; import public "google/protobuf/timestamp.proto"; import "confluent/type/decimal.proto";
option java_package = "com.shop" ".orders"; option (own.file).deep = -1.5e3;
enum Colour { option allow_alias = true; RED = 0; ROT = 0; BLUE = 0x10 [deprecated = true]; reserved 3, 5 to max; }
message Order { // the message
  reserved 4, 6 to 9, 100 to max; reserved "old", 'older';
  option deprecated = true;
  optional int32 id = 1; map < string , Line > lines = 2;
  confluent.type.Decimal amount = 3 [(confluent.field_meta) = { params: [ { key: "scale", value: "2" }, { key: "precision" value: "5" } ] }];
  oneof reach { option (own.o) = FAST; string mail = 10; .shop.orders.Order parent = 11 [deprecated=false,json_name="p\\"q"]; }
  repeated Colour colours = 12 [packed = false];
  message Line { google.protobuf.Timestamp at = 1; Inner inner = 2; message Inner {} }
  enum Kind { NONE = 0; }
};
service Orders { rpc Put (stream Order) returns (Order) { option deprecated = true; } rpc Get(Order) returns (stream Order.Line); }`;

const everythingInForm = `syntax = "proto3";
package shop.orders;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import public "google/protobuf/timestamp.proto";

option java_package = "com.shop.orders";
option (own.file).deep = -1.5e3;

message Order {
  reserved 4, 6 to 9, 100 to max;
  reserved "old", "older";

  option deprecated = true;

  optional int32 id = 1;
  map<string, Line> lines = 2;
  confluent.type.Decimal amount = 3 [(confluent.field_meta) = {
    params: [
      {
        key: "scale",
        value: "2"
      },
      {
        key: "precision",
        value: "5"
      }
    ]
  }];
  repeated Colour colours = 12 [packed = false];

  oneof reach {
    option (own.o) = FAST;
    string mail = 10;
    .shop.orders.Order parent = 11 [
      deprecated = false,
      json_name = "p\\"q"
    ];
  }

  message Line {
    google.protobuf.Timestamp at = 1;
    Inner inner = 2;

    message Inner {}
  }
  enum Kind {
    NONE = 0;
  }
}
enum Colour {
  reserved 3, 5 to 2147483647;
  option allow_alias = true;
  RED = 0;
  ROT = 0;
  BLUE = 16 [deprecated = true];
}

service Orders {
  rpc Put (stream Order) returns (Order) {
    option deprecated = true;
  };
  rpc Get (Order) returns (stream Order.Line);
}
`;

describe('a .proto text', () => {
  it('has one form, whatever its spaces, comments and quotes', () => {
    expect(form(everything)).toBe(everythingInForm);
    expect(form(everythingInForm)).toBe(everythingInForm);
    expect(linkProto(everything).messages.map(({ fullName }) => fullName)).toStrictEqual(['shop.orders.Order']);
  });

  it('of proto2 has groups, defaults, extensions and required fields', () => {
    const text = `
message A {
  required string a = 1 [default = "x"];

  repeated group Part = 2 {
    optional int32 b = 3;
  }

  extensions 100 to 199, 500 to max;

  extend A {
    optional int32 more = 100;
  }
}

extend A {
  optional int32 other = 101;
}
`;
    expect(form(text)).toBe(text);
    expect(linkProto(text).messages[0]!.messages.map(({ fullName }) => fullName)).toStrictEqual(['A.Part']);
  });

  it('may import every well-known file', () => {
    for (const path of Object.keys(wellKnownFiles)) {
      expect(linkProto(`syntax = "proto3"; import "${path}"; message A {}`).messages).toHaveLength(1);
    }
  });

  it('finds names from the innermost scope outwards, and those of imports', () => {
    const other = 'syntax = "proto3"; package x.y; message A { B b = 1; message B {} } message B {}';
    const text =
      'syntax = "proto3"; package x; import "other.proto"; message B {} message C { y.A a = 1; B b = 2; .x.y.B c = 3; C d = 4; }';
    const linked = linkProto(text, (path) => (path === 'other.proto' ? other : undefined));
    const names = linked.messages[1]!.fields.map(({ type }) => (type.kind === 'scalar' ? type.scalar : type.fullName));
    expect(names).toStrictEqual(['x.y.A', 'x.B', 'x.y.B', 'x.C']);
    const inner = linked.types.get('x.y.A')!;
    expect(inner.kind === 'message' && inner.fields[0]!.type).toBe(linked.types.get('x.y.A.B'));
  });

  it.each([
    ['message A { int32 a = 1; int32 b = 1; }', /fields a and b of message A have the number 1/],
    ['message A { int32 a = 1; string a = 2; }', /message A has two parts named a/],
    ['message A { int32 a = 0; }', /line 1, column 42: the number of a field is from 1/],
    ['message A { int32 a = 536870912; }', /from 1 to 536870911/],
    ['message A { int32 a = 19500; }', /19000 to 19999/],
    ['message A { reserved 1 to 3; int32 a = 2; }', /uses what is reserved/],
    ['message A { reserved "a"; int32 a = 2; }', /uses what is reserved/],
    ['message A { required int32 a = 2; }', /no required fields/],
    ['message A { int32 a = 2 [default = 3]; }', /no defaults/],
    ['message A { optional group B = 2 {} }', /no groups/],
    ['message A { map<double, string> a = 2; }', /no keys of type double/],
    ['message A { repeated map<string, string> a = 2; }', /a map has no label/],
    ['message A { oneof b { repeated string a = 2; } }', /has no label/],
    ['message A { oneof b {} }', /has no field/],
    ['message A { Nope a = 2; }', /field a of A has the type Nope, which nothing defines/],
    ['message A { .A.B a = 2; }', /which nothing defines/],
    ['message A {} message A {}', /two parts named A/],
    ['enum E { A = 1; }', /is not 0/],
    ['enum E { A = 0; B = 0; }', /one number/],
    ['enum E {}', /no value/],
    ['import "nope.proto"; message A {}', /nothing gives the import "nope.proto"/],
    ['message A { int32 a = 1 }', /";" is expected, not "}"/],
    ['message A { int32 a = 1;', /not the end/],
    ['message A { string a = "x"; }', /the number of a field is expected/],
    ['service S { rpc A (Nope) returns (Nope); }', /method S.A has the type Nope/],
    ['nonsense', /no definition begins like this/],
    ['message A { '.repeat(40), /nested deeper/],
    [`option a = ${'{ a: '.repeat(40)}`, /nested deeper/],
  ])('%s is refused', (text, why) => {
    expect(refusal(`syntax = "proto3"; ${text}`)).toMatch(why);
  });

  it.each([
    ['syntax = "proto4"; message A {}', /the syntax is/],
    ['edition = "2023"; message A {}', /no definition begins like this/],
    ['message A { int32 a = 1; }', /proto2 wants required, optional or repeated/],
  ])('%s is refused', (text, why) => {
    expect(refusal(text)).toMatch(why);
  });
});
