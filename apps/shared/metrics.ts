import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Open } from './authentication';

/** Everything that this process measures. */
export const metrics = new Registry();
// Each sample of the event loop wakes the process: a hundred per second, as by default, take 0.8 % of a core of a service at rest; ten take 0.2.
collectDefaultMetrics({ register: metrics, eventLoopMonitoringPrecision: 100 });

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
