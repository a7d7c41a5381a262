import { Module } from '@nestjs/common';
import { QueriesController } from './queries.controller';
import { ReadSide } from './read-side';
import { ReportsController } from './reports.controller';
import { StatusController } from './status.controller';

/** Queries on the read models, reports on the warehouse. Never reads the log's events. */
@Module({
  controllers: [QueriesController, ReportsController, StatusController],
  providers: [ReadSide],
  exports: [ReadSide],
})
export class ReportsModule {}
