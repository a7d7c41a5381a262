import { RawDocument, type RawElement, readValue, sameBytes } from '../bson/read';
import { BsonWriter } from '../bson/write';
import { equalValues } from '../bson/compare';
import { type Root } from './update-paths';
import { BsonType, type Value } from '../bson/values';

interface Field {
  element?: RawElement;
  value?: Value;
}

/** A stored document under change: fields that are not touched keep their bytes. */
export class EditableDocument implements Root {
  private readonly fields = new Map<string, Field>();

  constructor(private readonly source: RawDocument) {
    for (const element of source.elements()) this.fields.set(element.name, { element });
  }

  /** The field's value; a document or an array may be changed in place. */
  get(name: string): Value | undefined {
    const field = this.fields.get(name);
    if (!field) return undefined;
    if (field.element) {
      const { type, valueAt } = field.element;
      const value = readValue(type, this.source.bytes, valueAt);
      if (type !== BsonType.object && type !== BsonType.array) return value;
      field.value = value;
      delete field.element;
    }
    return field.value;
  }

  set(name: string, value: Value): void {
    this.fields.set(name, { value });
  }

  delete(name: string): void {
    this.fields.delete(name);
  }

  /** The document's bytes, `_id` first. */
  toRaw(): RawDocument {
    const writer = new BsonWriter(this.source.length + 256);
    const start = writer.begin();
    const id = this.fields.get('_id');
    if (id) this.write(writer, '_id', id);
    for (const [name, field] of this.fields) if (field !== id) this.write(writer, name, field);
    writer.finish(start);
    return new RawDocument(writer.take());
  }

  private write(writer: BsonWriter, name: string, { element, value }: Field): void {
    if (!element) {
      if (value !== undefined) writer.element(name, value);
      return;
    }
    writer.header(element.type, name);
    writer.raw(this.source.bytes, element.valueAt, element.end);
  }
}

/** Whether both documents have the same value in a field, or neither has it. Numbers may differ in type. */
export function bytesEqualField(a: RawDocument, b: RawDocument, name: string): boolean {
  const x = a.find(name);
  const y = b.find(name);
  if (!x || !y) return x === y;
  if (x.type === y.type && sameBytes(a.bytes, x.valueAt, x.end, b.bytes, y.valueAt, y.end)) return true;
  return equalValues(a.get(name), b.get(name));
}
