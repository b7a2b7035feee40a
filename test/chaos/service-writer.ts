/**
 * Writes to the stores of a node's services and prints `<kind> <name>` for each thing once its store says that it is safe.
 *
 * Usage: service-writer.js <folder> power <sync bytes: true|false>   writes until it is killed
 *        service-writer.js <folder> full                             meets a full disk, then room again, and kills itself
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { SERVICE_KINDS, ServiceStores, type ServiceKind } from './service-stores.ts'

/** Writes to each store before the disk is full, while it is, and after. */
const BEFORE = 40
const FULL = 5
const AFTER = 60

const [, file, folder, mode, syncBytes] = process.argv

/** @returns whether the store called it safe. */
async function writeOne(stores: ServiceStores, kind: ServiceKind): Promise<boolean> {
  const name = randomBytes(32).toString('hex')
  try {
    await stores.write(kind, name)
    process.stdout.write(`${kind} ${name}\n`)
    return true
  } catch {
    return false
  }
}

async function writeMany(stores: ServiceStores, count: number): Promise<void> {
  await Promise.all(
    SERVICE_KINDS.map(async kind => {
      for (let i = 0; i < count; i++) await writeOne(stores, kind)
    })
  )
}

/** Stands for a full disk without needing one: the system refuses to let this process's files grow. */
function limitFiles(bytes: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
}

async function meetFullDisk(stores: ServiceStores): Promise<void> {
  await writeMany(stores, BEFORE)
  limitFiles('1')
  await writeMany(stores, FULL)
  limitFiles('unlimited')
  process.stdout.write('room again\n')
  await writeMany(stores, AFTER)
  process.stdout.write('done\n', () => process.kill(process.pid, 'SIGKILL'))
}

if (file === import.meta.filename && folder) {
  const stores = await ServiceStores.open(folder, { syncBytes: syncBytes !== 'false' })
  if (mode === 'full') await meetFullDisk(stores)
  else await writeMany(stores, Infinity)
}
