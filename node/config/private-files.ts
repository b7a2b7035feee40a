/** Keeps the data folder for the user who runs the node: others neither read it nor lead its files elsewhere. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../ports.ts'
import { ConfigError } from './config-error.ts'

const OWNER_ONLY_FOLDER = 0o700
const OWNER_ONLY_FILE = 0o600
const OTHERS = 0o077
const ROOT = 0

/**
 * Makes a folder if it is missing, takes other users' rights to it away, and looks at what lies in it. From then on nobody
 * else can plant anything; what was planted before belongs to another user.
 *
 * @throws ConfigError if the folder, or anything in it, belongs to another user than this one or root.
 */
export function makePrivate(folder: string, logger: Logger): void {
  if (process.platform === 'win32') return
  try {
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER })
    const { mode } = statSync(folder)
    if ((mode & OTHERS) !== 0) {
      chmodSync(folder, OWNER_ONLY_FOLDER)
      logger
        .forComponent('volo:private-files')
        .warn('others could reach the data folder; now only its owner can', { folder })
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `Cannot write to the data folder ${folder} (${code}): check its path, owner and permissions, or choose another with VOLO_DATA_DIR.`
    throw new ConfigError(message, { cause })
  }
  requireOwn(folder)
}

/** Writes a small file as a whole: a link in its place is replaced, not followed, and readers never see half of it. */
export function writePrivateFile(file: string, text: string): void {
  const next = `${file}.next`
  rmSync(next, { force: true })
  writeFileSync(next, text, { flag: 'wx', mode: OWNER_ONLY_FILE })
  renameSync(next, file)
}

function requireOwn(folder: string): void {
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(parentPath, name)
    const owner = lstatSync(path, { throwIfNoEntry: false })?.uid
    if (owner === undefined || owner === ROOT || owner === process.geteuid!()) continue
    throw new ConfigError(
      `${path} belongs to another user (${owner}): look at it, then remove it or give it to the node's user.`
    )
  }
}
