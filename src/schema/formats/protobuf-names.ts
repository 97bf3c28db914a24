// The Protobuf names of columns: as Avro allows them, which Protobuf does too, and such that no two have one name in Protobuf's JSON either
// (`a_b` and `aB`), which protoc refuses, nor one field the name of the oneof that stands for another's being optional (`a` and `_a`), which
// other readers of schemas refuse. One rule for who writes and who reads.
import { avroName } from './avro-schema.js';

/** Where two would be the same, the later one gets a number. */
export function protobufNames(names: readonly string[]): string[] {
  const json = new Set<string>();
  const taken = new Set<string>();
  const isTaken = (name: string) => json.has(jsonName(name)) || taken.has(name) || taken.has(`_${name}`);
  return names.map((name) => {
    const base = avroName(name);
    let unique = base;
    for (let n = 2; isTaken(unique); n++) unique = `${base}_${n}`;
    json.add(jsonName(unique));
    taken.add(unique).add(`_${unique}`);
    return unique;
  });
}

function jsonName(name: string): string {
  return name.replaceAll(/_+(.?)/g, (_, next: string) => next.toUpperCase());
}
