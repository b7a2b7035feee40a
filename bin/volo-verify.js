#!/usr/bin/env node
import { runCommand } from '../scripts/command.js'

await runCommand('chain/verify/main.js')
