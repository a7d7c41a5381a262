import { Module } from '@nestjs/common';
import { ReportsModule } from '../reports/reports.module';
import { AuditController } from './audit.controller';

/** Replay and verification from the log alone; the read side is touched only to be compared. */
@Module({ imports: [ReportsModule], controllers: [AuditController] })
export class AuditModule {}
