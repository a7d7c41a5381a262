import 'reflect-metadata';
import { IsISO8601, IsOptional } from 'class-validator';

/** What the data of every command may carry beside its own fields. */
export abstract class CommandInput {
  /** ISO 8601; when it happened in the world. The time of arrival when left out. */
  @IsOptional()
  @IsISO8601({ strict: true })
  occurredAt?: string;
}
