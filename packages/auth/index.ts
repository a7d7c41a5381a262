export * from './caller';
export * from './local-issuer';
export * from './token-verifier';
