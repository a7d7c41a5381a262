import { Module } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { CommandPipeline } from '../../packages/eventsourcing';
import { privacyCommands, retentionCommands } from '../../packages/privacy';
import { ReportsModule } from '../reports/reports.module';
import { CommandDispatcher, ContextCommand, ContextCommandHandler } from '../shared/command-dispatcher';
import { natsCommandsOf } from '../shared/nats-commands';
import { Eraser } from './eraser';
import { PrivacyController } from './privacy.controller';
import { Retention } from './retention';
import { RetentionController } from './retention.controller';

class PrivacyCommand extends ContextCommand {}

@CommandHandler(PrivacyCommand)
class PrivacyCommandHandler extends ContextCommandHandler {
  constructor(pipeline: CommandPipeline) {
    super(pipeline);
  }
}

/** Legal holds, retention, erasure and copies of personal data. The eraser reads the whole log: run this once. */
@Module({
  imports: [ReportsModule],
  controllers: [RetentionController, PrivacyController, natsCommandsOf('privacy')],
  providers: [PrivacyCommandHandler, Eraser, Retention],
})
export class PrivacyModule {
  constructor(dispatcher: CommandDispatcher) {
    dispatcher.host(PrivacyCommand, [...privacyCommands, ...retentionCommands]);
  }
}
