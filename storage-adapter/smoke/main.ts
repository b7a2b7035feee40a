/** `npm run smoke:iagon`: one object's life on Iagon itself, or plain words that it was not run. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { IagonStorageAdapter } from '../iagon/iagon-storage-adapter.ts'
import { parseObjectName, type ByteStream, type NewObject } from '../storage-adapter.ts'

const HELP = `Usage: npm run smoke:iagon

Stores an object of 1 MB on Iagon, reads it, reads a part of it, lists it and removes it. The key comes from
VOLO_IAGON_KEY or from the file that VOLO_IAGON_KEY_FILE names; VOLO_STORAGE_URL names another gateway.

Exit codes: 0 all was as it must be; 1 something was not; 3 not run, because there is no key.
`
const EXIT_FAILED = 1
const EXIT_NOT_RUN = 3
const OBJECT_BYTES = 1_000_000
const DEADLINE_MS = 5 * 60_000

/** The only reader of the environment here. */
function readKey({ VOLO_IAGON_KEY: key, VOLO_IAGON_KEY_FILE: file } = process.env): string | undefined {
  return key || (file ? readFileSync(file, 'utf8').trim() : undefined)
}

async function collect(stream: ByteStream): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const bytes of stream) parts.push(bytes)
  return Buffer.concat(parts)
}

async function runSmoke(iagon: IagonStorageAdapter, signal: AbortSignal): Promise<void> {
  const bytes = randomBytes(OBJECT_BYTES)
  const sha256 = Uint8Array.from(createHash('sha256').update(bytes).digest())
  const name = parseObjectName(`smoke-${Date.now()}`)
  const object: NewObject = { name, size: OBJECT_BYTES, sha256, content: () => [bytes] as unknown as ByteStream }
  const step = async (what: string, run: () => Promise<boolean>): Promise<void> => {
    if (!(await run())) throw new Error(`${what}: not as it must be`)
    console.log(`✓ ${what}`)
  }
  await step('the gateway accepts the key', async () => (await iagon.health({ signal }), true))
  const { reference } = await iagon.put(object, { signal })
  try {
    await step('the whole object comes back', async () =>
      (await collect(await iagon.get(reference, { signal }))).equals(bytes)
    )
    await step('a part of it comes back', async () =>
      (await collect(await iagon.range(reference, 1000, 5000, { signal }))).equals(bytes.subarray(1000, 6000))
    )
    await step('it is listed', async () => {
      for await (const found of iagon.list(name, { signal })) if (found.size === OBJECT_BYTES) return true
      return false
    })
  } finally {
    await iagon.delete(reference, { signal })
  }
  await step('it is gone once it is removed', async () => {
    for await (const _found of iagon.list(name, { signal })) return false
    return true
  })
}

async function main(args: string[]): Promise<number> {
  if (args.length > 0) return (console.log(HELP), args.includes('--help') ? 0 : 2)
  const apiKey = readKey()
  if (apiKey === undefined) {
    console.log('NOT RUN: no key for Iagon; set VOLO_IAGON_KEY or VOLO_IAGON_KEY_FILE.')
    return EXIT_NOT_RUN
  }
  const url = process.env['VOLO_STORAGE_URL']
  await runSmoke(new IagonStorageAdapter({ apiKey, url }), AbortSignal.timeout(DEADLINE_MS))
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`smoke:iagon: ${(error as Error).message}`)
  process.exitCode = EXIT_FAILED
}
