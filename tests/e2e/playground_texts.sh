#!/usr/bin/env bash
# The parts of the playground's page that need no browser and no module: links, and text of others. Needs: node.
source "$(dirname "$0")/lib.sh"
need node
node --test "$E2E/playground/texts.mjs"
