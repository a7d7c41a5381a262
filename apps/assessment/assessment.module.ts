import { Module } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { assessmentCommands } from '../../packages/assessment';
import { CommandPipeline } from '../../packages/eventsourcing';
import { CommandDispatcher, ContextCommand, ContextCommandHandler } from '../shared/command-dispatcher';
import { natsCommandsOf } from '../shared/nats-commands';

class AssessmentCommand extends ContextCommand {}

@CommandHandler(AssessmentCommand)
class AssessmentCommandHandler extends ContextCommandHandler {
  constructor(pipeline: CommandPipeline) {
    super(pipeline);
  }
}

/** Attempts: commands over every door. */
@Module({ controllers: [natsCommandsOf('assessment')], providers: [AssessmentCommandHandler] })
export class AssessmentModule {
  constructor(dispatcher: CommandDispatcher) {
    dispatcher.host(AssessmentCommand, assessmentCommands);
  }
}
