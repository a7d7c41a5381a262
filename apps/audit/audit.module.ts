import { Module } from '@nestjs/common';
import { ReportsModule } from '../reports/reports.module';
import { SealKeys } from '../shared/seal-keys';
import { AuditController } from './audit.controller';
import { Reconciliation } from './reconciliation';
import { ReconciliationSchedule } from './reconciliation-schedule';
import { Reproduction } from './reproduction';
import { SealKeysController } from './seal-keys.controller';
import { StoreCheck } from './store-check';
import { VerificationController } from './verification.controller';
import { ExportController } from './export.controller';

/** Replay, verification and evidence from the log alone; the read side is touched only to be compared. */
@Module({
  imports: [ReportsModule],
  controllers: [AuditController, VerificationController, ExportController, SealKeysController],
  providers: [StoreCheck, Reconciliation, ReconciliationSchedule, Reproduction, SealKeys],
})
export class AuditModule {}
