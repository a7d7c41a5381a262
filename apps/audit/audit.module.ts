import { Module } from '@nestjs/common';
import { ReportsModule } from '../reports/reports.module';
import { AuditController } from './audit.controller';
import { Reconciliation } from './reconciliation';
import { Reproduction } from './reproduction';
import { StoreCheck } from './store-check';

/** Replay and verification from the log alone; the read side is touched only to be compared. */
@Module({
  imports: [ReportsModule],
  controllers: [AuditController],
  providers: [StoreCheck, Reconciliation, Reproduction],
})
export class AuditModule {}
