/** `backup now`, `backup status`, `backup settings`, `backup check` and `restore`. */
import { readFile } from 'node:fs/promises'
import type { BackupStatus, ConversationHex } from '../../peer-api.ts'
import { commandError } from '../errors.ts'
import { nameOf, sizeWords } from '../output.ts'
import { detailOf } from './files.ts'
import { chatNamed } from './find-conversation.ts'
import { readCode } from './recovery.ts'
import { saidProgress } from './said-progress.ts'
import { EXIT, orTimeout, requireLive, requireRegistered, type Run } from './runnable.ts'

/** Default of `--timeout`: a gigabyte over a slow line. */
const BACKUP_TIMEOUT_MS = 6 * 60 * 60_000
const CONNECT_MS = 15_000
/** Longest file that is read for a passphrase, in bytes. */
const MAX_PASSPHRASE_BYTES = 4096

/** A passphrase or a key: the first line of a file, without its line end. @throws CommandError `file-not-read`, `file-empty`. */
async function firstLineOf(file: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(file)).subarray(0, MAX_PASSPHRASE_BYTES).toString('utf8')
  } catch (error) {
    throw commandError('file-not-read', { file, detail: detailOf(error) }, { cause: error })
  }
  const passphrase = text.split(/\r?\n/, 1)[0]!
  if (passphrase.trim() === '') throw commandError('file-empty', { file })
  return passphrase
}

export const backupNow: Run<'backupNow'> = async (peer, command, output) => {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? BACKUP_TIMEOUT_MS
  const { passphraseFile, iagonKeyFile } = command
  const iagonKey = iagonKeyFile === undefined ? undefined : await firstLineOf(iagonKeyFile)
  const passphrase = passphraseFile === undefined ? null : await firstLineOf(passphraseFile)
  const status = await orTimeout(AbortSignal.timeout(timeoutMs), 'back-up', async () => {
    if (!(await peer.online(Math.min(timeoutMs, CONNECT_MS)))) throw commandError('no-node-in-time', {})
    // What waits for this device belongs into its backup.
    await peer.caughtUp(Math.min(timeoutMs, CONNECT_MS))
    return saidProgress(peer, output, () => peer.backup.now(passphrase, iagonKey))
  })
  await output.print(status, statusLine(status))
  return EXIT.done
}

export const backupStatus: Run<'backupStatus'> = async (peer, _command, output) => {
  await requireRegistered(peer)
  const status = await peer.backup.status()
  await output.print(status, statusLine(status))
  return EXIT.done
}

export const backupSettings: Run<'backupSettings'> = async (peer, command, output) => {
  await requireLive(peer)
  const { automatic, withFiles, leaveOut } = command
  const leftOut: ConversationHex[] = []
  for (const chat of leaveOut ?? []) leftOut.push((await chatNamed(peer, chat, command.timeoutMs)).id)
  const status = await peer.backup.choose({
    ...(automatic !== undefined && { automatic }),
    ...(withFiles !== undefined && { withFiles }),
    ...(leaveOut && { leftOut })
  })
  await output.print(status, settingsLine(status))
  return EXIT.done
}

export const backupCheck: Run<'backupCheck'> = async (peer, command, output) => {
  await requireLive(peer)
  const timeoutMs = command.timeoutMs ?? BACKUP_TIMEOUT_MS
  const checked = await orTimeout(AbortSignal.timeout(timeoutMs), 'back-up', async () => {
    if (!(await peer.online(Math.min(timeoutMs, CONNECT_MS)))) throw commandError('no-node-in-time', {})
    return saidProgress(peer, output, () => peer.backup.check())
  })
  const { at, chats, messages, files } = checked
  await output.print(
    { ok: true, ...checked },
    `The backup of ${dateOf(at)} is whole: ${messages} messages of ${chats} chats, ${files} files.`
  )
  return EXIT.done
}

export const restore: Run<'restore'> = async (peer, command, output) => {
  const passphrase = await firstLineOf(command.passphraseFile)
  const { recoveryFile, iagonKeyFile, username, deviceName } = command
  const iagonKey = iagonKeyFile === undefined ? null : await firstLineOf(iagonKeyFile)
  const recoveryCode = recoveryFile === undefined ? null : await readCode(recoveryFile)
  const signal = AbortSignal.timeout(command.timeoutMs ?? BACKUP_TIMEOUT_MS)
  const choice = { username, passphrase, recoveryCode, deviceName, iagonKey }
  const restored = await orTimeout(signal, 'restore', () =>
    saidProgress(peer, output, () => peer.backup.restore(choice))
  )
  const { me, messages, chats, at, readOnly } = restored
  const { accountId, deviceId } = me
  const brought = `${messages} messages of ${chats} chats came from the backup of ${dateOf(at)}.`
  const how = readOnly
    ? 'They are here to be read: this is no device of the account, and cannot send or receive.'
    : `This is a device of ${nameOf(me)}.`
  await output.print(
    { accountId, deviceId, username: me.username, messages, chats, at, readOnly },
    `${brought}\n${how}`
  )
  return EXIT.done
}

function statusLine(status: BackupStatus): string {
  const { isSet, last } = status
  if (!last)
    return isSet
      ? `This device has made no backup yet. ${settingsLine(status)}`
      : 'There is no backup. Make one with: volo-peer backup now --passphrase-file FILE'
  const { at, counter, chats, messages, files, bytes, copies } = last
  const what = `${messages} messages of ${chats} chats, ${files} files`
  const lastLine = `Last backup: ${dateOf(at)} (number ${counter}), ${what}, ${sizeWords(bytes)}, at ${copies} node(s).`
  return `${lastLine}\n${settingsLine(status)}`
}

function settingsLine({ settings, nextAt }: BackupStatus): string {
  const { automatic, withFiles, leftOut } = settings
  const parts = [
    withFiles ? 'Files are backed up.' : 'Files are not backed up.',
    ...(leftOut.length > 0 ? [`${leftOut.length} chat(s) are left out.`] : [])
  ]
  if (!automatic) return [...parts, 'Nothing is backed up by itself.'].join(' ')
  const when = nextAt === null ? 'once a passphrase is set' : `next at ${dateOf(nextAt)}`
  return [...parts, `It backs up by itself while listen runs: ${when}.`].join(' ')
}

const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')
