#!/usr/bin/env node
import { runCommand } from '../scripts/command.js'

await runCommand('peer/cli/main.js')
