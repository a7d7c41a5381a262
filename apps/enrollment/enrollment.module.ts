import { Module } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { courseCommands, enrollmentCommands, notificationCommands, ruleCommands } from '../../packages/enrollment';
import { CommandPipeline } from '../../packages/eventsourcing';
import { CommandDispatcher, ContextCommand, ContextCommandHandler } from '../shared/command-dispatcher';
import { natsCommandsOf } from '../shared/nats-commands';

class EnrollmentCommand extends ContextCommand {}

@CommandHandler(EnrollmentCommand)
class EnrollmentCommandHandler extends ContextCommandHandler {
  constructor(pipeline: CommandPipeline) {
    super(pipeline);
  }
}

/** Courses, assignment rules and enrollments: commands over every door. */
@Module({ controllers: [natsCommandsOf('enrollment')], providers: [EnrollmentCommandHandler] })
export class EnrollmentModule {
  constructor(dispatcher: CommandDispatcher) {
    dispatcher.host(EnrollmentCommand, [
      ...courseCommands,
      ...ruleCommands,
      ...enrollmentCommands,
      ...notificationCommands,
    ]);
  }
}
