import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { PublicSealKey } from '../../packages/evidence';
import { Open } from '../shared/authentication';
import { SealKeys } from '../shared/seal-keys';

/** For auditors and their programs: with which keys this Attest seals its log, newest first. */
@ApiTags('audit')
@Controller('.well-known')
export class SealKeysController {
  constructor(private readonly keys: SealKeys) {}

  @Open()
  @Get('attest-seal-keys.json')
  @ApiOkResponse({ description: 'A JWKS (RFC 7517) of Ed25519 keys (RFC 8037).', schema: { type: 'object' } })
  published(): { keys: readonly PublicSealKey[] } {
    return { keys: this.keys.ring().trusted };
  }
}
