#!/usr/bin/env -S node --max-semi-space-size=32
// Stands here uncompiled so that npm can link it as `attest` before the build has run.
// Room for what lives no longer than a command: `attest up` needs a tenth less processor time for an import.
require('../../dist/apps/attest/cli.js');
