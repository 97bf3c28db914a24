// Whether one Avro schema reads another's data as earlier versions of this program said it: by avsc's resolver. What the sequence holds of
// them is decided as it was then, since a registration that was refused has given no id.
import avro from 'avsc';

export function avroUnreadableBefore(reader: string, writer: string): readonly string[] {
  const readerType = avro.Type.forSchema(JSON.parse(reader) as avro.Schema);
  const writerType = avro.Type.forSchema(JSON.parse(writer) as avro.Schema);
  try {
    readerType.createResolver(writerType, { ignoreNamespaces: true });
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
