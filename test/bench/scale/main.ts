/** `npm run scale-numbers`: what the directory costs on Cardano, from transactions that are built for it here. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { withNumbers } from './page.ts'
import { SCALE_TABLES } from './scale-tables.ts'

const PAGE = join('docs', 'decisions', '0006-scale.md')
const USAGE = `Usage: npm run scale-numbers [-- --write]

Prints the tables of ${PAGE}, computed anew. --write puts them into the page.
`

function checkoutOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : checkoutOf(dirname(folder))
}

const { values } = parseArgs({ options: { write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (values.help) console.log(USAGE)
else if (values.write) {
  const page = join(checkoutOf(import.meta.dirname), PAGE)
  writeFileSync(page, withNumbers(readFileSync(page, 'utf8'), SCALE_TABLES))
} else {
  for (const [name, compute] of Object.entries(SCALE_TABLES)) console.log(`${name}\n\n${compute()}\n`)
}
