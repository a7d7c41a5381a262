import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { type CommandDefinition, commandPath } from '../../packages/commands';
import { CommandDispatcher } from './command-dispatcher';

type SchemaObject = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string];
type Operation = NonNullable<OpenAPIObject['paths'][string]['post']>;

const PROBLEM = { $ref: '#/components/schemas/Problem' };
const RESULT = { $ref: '#/components/schemas/CommandResult' };

const schemas: Record<string, SchemaObject> = {
  CommandResult: {
    type: 'object',
    required: ['stream', 'revision', 'position', 'events', 'outcome'],
    properties: {
      stream: { type: 'string' },
      revision: { type: 'integer', description: "Revision of the stream's last event; also the ETag." },
      position: { type: 'string', description: 'Hand it to a query as minPosition to read your own write.' },
      events: { type: 'array', items: { type: 'string' } },
      outcome: { type: 'string', enum: ['accepted', 'already-known'] },
    },
  },
  Problem: {
    type: 'object',
    description: 'RFC 9457 problem details.',
    required: ['type', 'title', 'status', 'detail'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string', description: 'Code of the rule that refused the command.' },
      fields: {
        type: 'array',
        items: { type: 'object', properties: { field: { type: 'string' }, problem: { type: 'string' } } },
      },
      correlationId: { type: 'string' },
    },
  },
};

/**
 * Serves `/openapi.json` and the page `/docs`: the controllers as Nest sees them, the commands from their definitions. The document is
 * made for the first who asks; at each start it would be a good part of the work.
 */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiOf(app), { jsonDocumentUrl: 'openapi.json' });
}

function openApiOf(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Attest')
    .setDescription('The system of record for workplace learning. Commands append events; queries and reports read.')
    .setVersion('1')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, config);
  const { definitions } = app.get(CommandDispatcher);
  const inputs = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage as never,
    refPointerPrefix: '#/components/schemas/',
  });
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...schemas, ...(inputs as Record<string, SchemaObject>) },
  };
  for (const definition of definitions)
    document.paths[`/v1/commands/${commandPath(definition.type)}`] = { post: single(definition) };
  if (definitions.length > 0) document.paths['/v1/commands'] = { post: bulk(definitions) };
  return document;
}

function single({ type, summary, roles, input, example }: CommandDefinition): Operation {
  return {
    tags: ['commands'],
    operationId: type,
    summary,
    description: `Roles: ${roles.join(', ')}.`,
    security: [{ bearer: [] }],
    parameters: [
      header('Idempotency-Key', 'Repeat it with a retry: the command then changes nothing and answers as before.'),
      header('If-Match', 'Revision that the stream must be at, for example "3".'),
      header('X-Correlation-Id', 'Kept in the events; made up when left out.'),
    ],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${input.name}` }, example } },
    },
    responses: {
      '200': { description: 'Accepted, or known already.', content: { 'application/json': { schema: RESULT } } },
      ...refusals(),
    },
  };
}

const REFUSALS = {
  '400': 'A field is not valid.',
  '401': 'No valid token.',
  '403': 'The token does not allow this.',
  '409': 'Other writers were faster, again and again.',
  '412': 'The stream is at another revision than If-Match says.',
  '422': 'A rule of the domain refuses this.',
  '503': 'A store does not answer.',
};

function refusals(): Operation['responses'] {
  const content = { 'application/problem+json': { schema: PROBLEM } };
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([status, description]) => [status, { description, content }]),
  );
}

function bulk(definitions: readonly CommandDefinition[]): Operation {
  const [{ type, example }] = definitions as [CommandDefinition];
  return {
    tags: ['commands'],
    operationId: 'BulkCommands',
    summary: 'Many commands in one request, one per line (NDJSON), each answered by one line in order.',
    description:
      'A line is {"command", "id"?, "data"}; its answer is {"line", ...CommandResult} or {"line", "outcome": "refused", "problem"}. ' +
      'A bad line does not reject the others.',
    security: [{ bearer: [] }],
    requestBody: {
      required: true,
      content: {
        'application/x-ndjson': {
          schema: { type: 'string' },
          example: JSON.stringify({ command: commandPath(type), id: 'import-1', data: example }),
        },
      },
    },
    responses: {
      '200': {
        description: 'One line per command.',
        content: { 'application/x-ndjson': { schema: { type: 'string' } } },
      },
    },
  };
}

function header(name: string, description: string) {
  return { name, in: 'header', description, required: false, schema: { type: 'string' } } as const;
}
