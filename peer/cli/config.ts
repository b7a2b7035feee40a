import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { commandError } from './errors.ts'

/** The environment of `volo-peer`, read here and nowhere else. */
export interface Environment {
  defaultData: string
  passphraseFile: string | undefined
  /** Report to stderr what happens. */
  debug: boolean
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  return {
    defaultData: join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'volo-peer'),
    passphraseFile: env['VOLO_PASSPHRASE_FILE'] || undefined,
    debug: env['VOLO_DEBUG'] === '1'
  }
}

/** The passphrase: the whole file without the last line end. @throws CommandError if it cannot be read or is empty. */
export async function readPassphrase(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw commandError('passphrase-unreadable', { detail: (error as Error).message }, { cause: error })
  }
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw commandError('passphrase-empty', { file })
  return passphrase
}
