/** The words of `volo-peer backup`, `volo-peer restore` and `volo-peer export`. */
import type { AddCommandsOf, CommonOptions } from './command-options.ts'
import { nonEmpty, onOrOff, withoutAt } from './option-values.ts'
import { UsageError } from './usage-error.ts'

export type BackupCommand =
  | ({ kind: 'backupNow'; passphraseFile: string | undefined; iagonKeyFile: string | undefined } & CommonOptions)
  | ({ kind: 'backupStatus' } & CommonOptions)
  | ({
      kind: 'backupSettings'
      automatic: boolean | undefined
      withFiles: boolean | undefined
      leaveOut: string[] | undefined
    } & CommonOptions)
  | ({ kind: 'backupCheck' } & CommonOptions)
  | ({
      kind: 'restore'
      username: string
      passphraseFile: string
      recoveryFile: string | undefined
      iagonKeyFile: string | undefined
      deviceName: string
    } & CommonOptions)
  | ({ kind: 'exportAll'; out: string } & CommonOptions)

type AddCommands = AddCommandsOf<BackupCommand>

/** Adds the words. */
export const addBackupCommands: AddCommands = (program, common, take) => {
  const backup = program.command('backup').description('the history of the account, encrypted on the storage of nodes')
  backup
    .command('now')
    .description('back up; what has not changed is not uploaded again')
    .option(
      '--passphrase-file <FILE>',
      'file with the passphrase; another one replaces it',
      nonEmpty('passphrase-file')
    )
    .option(
      '--iagon-key-file <FILE>',
      'keep it in an Iagon account of your own, whose key is in this file',
      nonEmpty('iagon-key-file')
    )
    .action(({ passphraseFile, iagonKeyFile }: { passphraseFile?: string; iagonKeyFile?: string }) =>
      take({ kind: 'backupNow', passphraseFile, iagonKeyFile, ...common() })
    )
  backup
    .command('status')
    .description('the last backup that this device has made')
    .action(() => take({ kind: 'backupStatus', ...common() }))
  backup
    .command('settings')
    .description('what is backed up, and whether by itself: while listen runs, after some quiet time and once a day')
    .option('--automatic <on|off>', 'back up by itself', onOrOff('automatic'))
    .option('--files <on|off>', 'files of messages too', onOrOff('files'))
    .option('--leave-out <CHAT...>', 'chats that are not backed up')
    .option('--all-chats', 'leave out none')
    .action((options: { automatic?: boolean; files?: boolean; leaveOut?: string[]; allChats?: boolean }) => {
      const { automatic, files: withFiles, leaveOut, allChats } = options
      if (allChats && leaveOut) throw new UsageError('--all-chats and --leave-out exclude each other')
      take({ kind: 'backupSettings', automatic, withFiles, leaveOut: allChats ? [] : leaveOut, ...common() })
    })
  backup
    .command('check')
    .description('read the whole backup back and compare')
    .action(() => take({ kind: 'backupCheck', ...common() }))
  program
    .command('restore')
    .description('bring the history of a backup to this data directory, which may be empty')
    .requiredOption('--username <NAME>', 'the username of the account', nonEmpty('username'))
    .requiredOption('--passphrase-file <FILE>', 'file with the passphrase of the backup', nonEmpty('passphrase-file'))
    .option(
      '--recovery-file <FILE>',
      'regain the account, too; without it the history can only be read',
      nonEmpty('recovery-file')
    )
    .option(
      '--iagon-key-file <FILE>',
      'key of your own Iagon account, if the backup is there',
      nonEmpty('iagon-key-file')
    )
    .option('--device-name <TEXT>', 'how you see this device', 'Command line')
    .action(
      (options: {
        username: string
        passphraseFile: string
        recoveryFile?: string
        iagonKeyFile?: string
        deviceName: string
      }) => {
        const { username, passphraseFile, recoveryFile, iagonKeyFile, deviceName } = options
        take({
          kind: 'restore',
          username: withoutAt(username),
          passphraseFile,
          recoveryFile,
          iagonKeyFile,
          deviceName,
          ...common()
        })
      }
    )
  program
    .command('export')
    .description('write every chat as HTML and JSON, with its files, into a new folder; not encrypted')
    .requiredOption('--out <DIR>', 'a folder that is not there yet', nonEmpty('out'))
    .action(({ out }: { out: string }) => take({ kind: 'exportAll', out, ...common() }))
}
