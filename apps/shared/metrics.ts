import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Open } from './authentication';

/** Everything that this process measures. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

/** For Prometheus. Tells nothing of any tenant. */
@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  @Open()
  @Get()
  @Header('content-type', metrics.contentType)
  metrics(): Promise<string> {
    return metrics.metrics();
  }
}
