import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { type DynamicModule, Global, type LoggerService, Module, type Type, ValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { IncomingMessage } from 'node:http';
import { EnginesModule, LOG, SETTINGS } from '../../infra/engines.module';
import { createLog, type Log } from '../../infra/log';
import { beNice } from '../../infra/embedded/niceness';
import { TokenVerifier } from '../../packages/auth';
import { niceness, type Settings, settingsFromEnvironment } from '../../packages/config';
import type { ValidationError } from 'class-validator';
import { fieldProblems, InvalidCommandError } from '../../packages/commands';
import { AuthenticationGuard } from './authentication';
import { CommandDispatcher } from './command-dispatcher';
import { eventCatalog } from './event-catalog';
import { ForgetsErased } from './forgets-erased';
import { HealthController } from './health.controller';
import { HttpCommandsController } from './http-commands.controller';
import { MetricsController } from './metrics';
import { LongAnswers } from './long-answers';
import { natsOptions } from './nats-commands';
import { serveOpenApi } from './openapi';
import { ProblemFilter, Problems } from './problems';

/** What every service has: clients, doors, tokens, problems. */
@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [HttpCommandsController, HealthController, MetricsController],
  providers: [
    CommandDispatcher,
    ForgetsErased,
    LongAnswers,
    { provide: TokenVerifier, inject: [SETTINGS], useFactory: ({ issuer }: Settings) => new TokenVerifier(issuer) },
    { provide: Problems, inject: [LOG], useFactory: (log: Log) => new Problems(log) },
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [CommandDispatcher, LongAnswers, TokenVerifier, Problems],
})
class ServiceModule {}

const LARGEST_BODY = 1_048_576;

/**
 * A service of these modules, listening. The same modules run together in one process or each on its own.
 * @param port 0 takes a free one
 */
export async function startService(
  modules: readonly (Type | DynamicModule)[],
  settings: Settings,
  listen: { host: string; port: number },
): Promise<NestFastifyApplication> {
  const log = createLog(settings.logFile);
  const root: DynamicModule = {
    module: class Attest {},
    imports: [EnginesModule.forRoot(settings, eventCatalog, log), ServiceModule, ...modules],
  };
  const adapter = new FastifyAdapter({
    bodyLimit: LARGEST_BODY,
    genReqId: (request: IncomingMessage) => header(request, 'x-correlation-id') ?? randomUUID(),
    forceCloseConnections: true,
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLogger(log),
    abortOnError: false,
  });
  adapter.getInstance().addContentTypeParser('application/x-ndjson', (_request, body, done) => done(null, body));
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: (errors: ValidationError[]) =>
        new InvalidCommandError(errors.flatMap((error) => fieldProblems(error))),
    }),
  );
  if (settings.nats) app.connectMicroservice(natsOptions(settings.nats), { inheritAppConfig: false });
  serveOpenApi(app);
  await app.startAllMicroservices();
  await app.listen(listen.port, listen.host);
  return app;
}

/**
 * The entry of a service on its own: settings from the environment, `ATTEST_HOST` and `ATTEST_PORT`, until SIGINT or SIGTERM. Tells
 * the process that forked it, if one did, where it listens.
 */
export async function runService(modules: readonly Type[]): Promise<void> {
  const { ATTEST_HOST: host = '0.0.0.0', ATTEST_PORT: port = '3000' } = process.env;
  beNice(niceness(process.env, 0));
  const app = await startService(modules, settingsFromEnvironment(process.env), { host, port: Number(port) });
  app.enableShutdownHooks(['SIGINT', 'SIGTERM']);
  process.send?.({ url: await app.getUrl() });
}

/** What Nest itself has to say goes to the same log. */
function nestLogger(log: Log): LoggerService {
  return {
    log: (message) => log.debug(message),
    warn: (message) => log.warn(message),
    error: (message) => log.error(message),
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value.length <= 200 ? value : undefined;
}
