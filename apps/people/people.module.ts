import { Module } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import { CommandPipeline } from '../../packages/eventsourcing';
import {
  peopleCommands,
  permissionCommands,
  reportingLinesCommands,
  titleMappingCommands,
} from '../../packages/people';
import { CommandDispatcher, ContextCommand, ContextCommandHandler } from '../shared/command-dispatcher';
import { natsCommandsOf } from '../shared/nats-commands';
import { HrisConsumer } from './hris-consumer';

class PeopleCommand extends ContextCommand {}

@CommandHandler(PeopleCommand)
class PeopleCommandHandler extends ContextCommandHandler {
  constructor(pipeline: CommandPipeline) {
    super(pipeline);
  }
}

/** People, roles and reporting lines: commands over every door. */
@Module({ controllers: [natsCommandsOf('people')], providers: [PeopleCommandHandler] })
export class PeopleModule {
  constructor(dispatcher: CommandDispatcher) {
    dispatcher.host(PeopleCommand, [
      ...peopleCommands,
      ...titleMappingCommands,
      ...reportingLinesCommands,
      ...permissionCommands,
    ]);
  }
}

/** What the HRIS publishes, as commands for people. */
@Module({ imports: [PeopleModule], providers: [HrisConsumer] })
export class HrisModule {}
