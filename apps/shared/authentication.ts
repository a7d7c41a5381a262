import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { type Caller, requireRole, TokenVerifier } from '../../packages/auth';
import type { Role } from '../../packages/commands';

type AuthenticatedRequest = FastifyRequest & { caller: Caller };

const OPEN = 'attest:open';
const ROLES_ALLOWED = 'attest:roles';

/** No token needed. */
export const Open = (): MethodDecorator & ClassDecorator => SetMetadata(OPEN, true);
/** Only for callers with one of these roles; any valid token when left out. */
export const Allow = (...roles: Role[]): MethodDecorator & ClassDecorator => SetMetadata(ROLES_ALLOWED, roles);
/** The caller as a parameter of a controller's method. */
export const CallerOf = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().caller,
);

/** Every HTTP route needs a valid bearer token unless it is `@Open()`. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true; // messages carry their token in a header; see nats-commands.ts
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(OPEN, targets)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.caller = await this.verifier.verify(request.headers.authorization);
    const roles = this.reflector.getAllAndOverride<Role[] | undefined>(ROLES_ALLOWED, targets);
    if (roles) requireRole(request.caller, roles);
    return true;
  }
}
