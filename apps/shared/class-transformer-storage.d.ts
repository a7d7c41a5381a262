/** class-validator-jsonschema needs it to follow nested types; class-transformer publishes no types for it. */
declare module 'class-transformer/cjs/storage' {
  export const defaultMetadataStorage: object;
}
