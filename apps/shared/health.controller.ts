import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Open } from './authentication';

/** For load balancers and supervisors: answers when the process does. */
@ApiTags('operations')
@Controller('health')
export class HealthController {
  @Open()
  @Get()
  health(): { ok: true } {
    return { ok: true };
  }
}
