#!/usr/bin/env node
import { runCommand } from '../scripts/command.js'

await runCommand('bundled/node/main.js')
