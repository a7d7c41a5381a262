#!/usr/bin/env -S node --max-semi-space-size=32 --no-memory-reducer
// Stands here uncompiled so that npm can link it as `attest` before the build has run.
// Room for what lives no longer than a command: `attest up` needs a tenth less processor time for an import. And no collection of all
// garbage whenever there is little to do: with its engines it takes a seventh less in its first half minute.
require('../../dist/apps/attest/cli.js');
