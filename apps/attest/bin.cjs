#!/usr/bin/env node
// Stands here uncompiled so that npm can link it as `attest` before the build has run.
require('../../dist/apps/attest/cli.js');
