// Producers of imports are named after their topics; no connector can have such a name.
const prefix = '@import:';

export function importProducerName(topic: string): string {
  return prefix + topic;
}

export function isImport(producer: string): boolean {
  return producer.startsWith(prefix);
}
