import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsMoment } from '../../packages/commands';
import type { ReproductionRequest } from './reproduction';

class SavedReport implements ReproductionRequest {
  @ApiProperty({ example: 'course-outcomes' })
  @IsString()
  report!: string;

  @ApiProperty({ description: 'As the answer has them, the tenant included.', example: { tenant: 'acme' } })
  @IsObject()
  parameters!: Record<string, string | number>;

  @ApiProperty({ description: 'Log position: asOf.position of the answer.' })
  @Matches(/^\d{1,19}$/, { message: 'position must be a log position' })
  position!: string;

  @ApiProperty({ description: 'asOf.effective of the answer.' })
  @IsMoment()
  effective!: string;
}

export class ReproductionBody {
  @ApiProperty({ type: [SavedReport], description: 'The log is read once for all of them.' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => SavedReport)
  reports!: SavedReport[];

  @ApiPropertyOptional({ description: 'Questions that may be asked to explain one report.', default: 200 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(9_999)
  steps: number = 200;
}
