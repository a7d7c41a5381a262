import 'reflect-metadata';
import { IsOptional } from 'class-validator';
import { IsMoment } from './value-rules';

/** What the data of every command may carry beside its own fields. */
export abstract class CommandInput {
  /** ISO 8601; when it happened in the world. The time of arrival when left out. */
  @IsOptional()
  @IsMoment()
  occurredAt?: string;
}
