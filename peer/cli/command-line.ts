/** The words and options of `volo-peer`. Imports nothing heavy, so that help and usage errors come at once. */
import { Command as CommandWord, CommanderError, Option } from 'commander'
import type { ProfileVisibility } from '../peer-api.ts'
import { addBackupCommands, type BackupCommand } from './backup-command-line.ts'
import { addGroupCommands, type GroupCommand } from './group-command-line.ts'
import { addComplaintCommands, type ComplaintCommand } from './complaint-command-line.ts'
import { addMessageCommands, type MessageCommand } from './message-commands.ts'
import type { AddCommandsOf, CommonOptions } from './command-options.ts'
import { nonEmpty, positiveInteger, withoutAt } from './option-values.ts'
import { addPeopleCommands, type PeopleCommand } from './people-commands.ts'
import { STAYS_ON_RECORD } from './stays-on-record.ts'
import { UsageError } from './usage-error.ts'

export { UsageError } from './usage-error.ts'

export type Command =
  | { kind: 'help'; text: string }
  | { kind: 'version' }
  | ({ kind: 'register'; username: string; demoUser: string; displayName: string; deviceName: string } & CommonOptions)
  | ({ kind: 'send'; to: string; text: string; file: string | undefined; word: string | undefined } & CommonOptions)
  | ({ kind: 'save'; message: string; out: string } & CommonOptions)
  | ({ kind: 'messages'; with: string } & CommonOptions)
  | MessageCommand
  | ComplaintCommand
  | ({ kind: 'whoami' } & CommonOptions)
  | ({ kind: 'name'; username: string } & CommonOptions)
  | ({ kind: 'nameRelease' } & CommonOptions)
  | ({ kind: 'accountDelete'; anyway: boolean } & CommonOptions)
  | ({
      kind: 'profileSet'
      displayName: string | undefined
      about: string | undefined
      /** A file, or null to have none. */
      picture: string | null | undefined
      seenBy: ProfileVisibility['seenBy'] | undefined
      isFoundByHandle: boolean | undefined
    } & CommonOptions)
  | ({ kind: 'status' } & CommonOptions)
  | ({ kind: 'devices' } & CommonOptions)
  | ({ kind: 'rename'; device: string; name: string } & CommonOptions)
  | ({ kind: 'historyStatus' } & CommonOptions)
  | ({ kind: 'revoke'; device: string; yes: boolean } & CommonOptions)
  | ({ kind: 'search'; text: string; limit: number | undefined } & CommonOptions)
  | (GroupCommand & CommonOptions)
  | PeopleCommand
  | ({ kind: 'sign'; file: string; out: string | undefined } & CommonOptions)
  | ({ kind: 'linkShow'; yes: boolean } & CommonOptions)
  | ({ kind: 'linkJoin'; code: string; name: string } & CommonOptions)
  | ({ kind: 'linkScan'; picture: string; name: string } & CommonOptions)
  | ({ kind: 'recoveryMake'; out: string } & CommonOptions)
  | ({ kind: 'recoveryStatus' } & CommonOptions)
  | ({ kind: 'recoveryRefuse' } & CommonOptions)
  | ({ kind: 'recoveryUse'; file: string; username: string; deviceName: string } & CommonOptions)
  | BackupCommand

const NOTES = `
PERSON is @username, an account id (64 hex digits), or a name elsewhere such as x:ada; CHAT is a person, or group:ID. MESSAGE is an id or its beginning (8 hex digits or more).
DEVICE is a device id or its beginning (8 hex digits or more).
Exit codes: 0 done, 1 failed, 2 not understood, 3 timed out.

The key of the data directory is in a file that only you can read (mode 0600). If VOLO_PASSPHRASE_FILE names a file when
the directory is made, the key is protected by the passphrase in it, and every later command needs the same variable.`

/**
 * Parses the arguments after `volo-peer`. Options of every command may be anywhere; those of one command follow it.
 * @throws UsageError with a sentence that says what is wrong.
 */
export function parseCommandLine(argv: string[], defaultData: string): Command {
  let help = ''
  let parsed: Command | undefined
  const program = new CommandWord('volo-peer')
    .exitOverride()
    .configureOutput({ writeOut: text => (help += text), writeErr: () => undefined })
    .configureHelp({ showGlobalOptions: true, helpWidth: 120 })
    .helpOption('-h, --help', 'this text')
    .description('chat through Volo without a browser')
    .option('--data <DIR>', 'where keys and messages are kept', nonEmpty('data'), defaultData)
    .option('--node <URL>', 'node to start from (default: the last one used, at first http://127.0.0.1:8787)', origin)
    .option('--timeout <S>', 'seconds to wait (default: send 30, register and name 60, listen without end)', seconds)
    .option('--json', 'one JSON object a line on standard output, and nothing else there')
    .option('--version', 'the version of this program')
    .argument('[command]')
    .usage('[options] <command>')
    .helpCommand('help [command]', 'this text, or the options of one command')
    .addHelpText('after', NOTES)
    .action((name: string | undefined, { version }: { version?: boolean }) => {
      if (version) parsed = { kind: 'version' }
      else throw new UsageError(name === undefined ? 'a command is missing' : `"${name}" is not a command`)
    })
  const common = (): CommonOptions => {
    const { data, node, json, timeout } = program.opts<{
      data: string
      node: string | undefined
      json?: boolean
      timeout?: number
    }>()
    return { data, node, json: json ?? false, timeoutMs: timeout }
  }
  const take = (command: Command): void => {
    parsed = program.opts<{ version?: boolean }>().version ? { kind: 'version' } : command
  }
  addAccountCommands(program, common, take)
  addChatCommands(program, common, take)
  addMessageCommands(program, common, take)
  addComplaintCommands(program, common, take)
  addPeopleCommands(program, common, take)
  addGroupCommands(program, command => take({ ...command, ...common() }))
  addDeviceCommands(program, common, take)
  addLinkCommands(program, common, take)
  addRecoveryCommands(program, common, take)
  addBackupCommands(program, common, take)
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0 && help !== '') return { kind: 'help', text: help }
    throw new UsageError(sentenceOf(error), { cause: error })
  }
  return parsed!
}

type AddCommands = AddCommandsOf<Command>

const addAccountCommands: AddCommands = (program, common, take) => {
  interface RegisterOptions {
    username: string
    demoUser?: string
    displayName?: string
    deviceName: string
  }
  program
    .command('register')
    .description('make keys, sign in at the node, register account and device')
    .addHelpText('after', `\n${STAYS_ON_RECORD}`)
    .requiredOption('--username <NAME>', 'the username that others find you by', nonEmpty('username'))
    .option('--demo-user <NAME>', 'whom to be at the demo sign-in (default: the username)', nonEmpty('demo-user'))
    .option('--display-name <TEXT>', 'how others see you (default: the username)')
    .option('--device-name <TEXT>', 'how you see this device', 'Command line')
    .action(({ username: typed, demoUser, displayName, deviceName }: RegisterOptions) => {
      const username = withoutAt(typed)
      const names = { username, demoUser: demoUser ?? username, displayName: displayName ?? username, deviceName }
      take({ kind: 'register', ...names, ...common() })
    })
  program
    .command('whoami')
    .description('this account and device, and what the public record says about them')
    .action(() => take({ kind: 'whoami', ...common() }))
  program
    .command('name')
    .argument('[NAME]')
    .option('--release', 'give the username back: anybody may take it; then claim another one, or none', false)
    .option('--yes', 'needed to give it back', false)
    .description('claim another username, if the first one turned out to be taken or was given back')
    .action((name: string | undefined, { release, yes }: { release: boolean; yes: boolean }) => {
      if (release === (name !== undefined)) throw new UsageError('give a NAME, or --release')
      if (name !== undefined) return take({ kind: 'name', username: withoutAt(name), ...common() })
      if (!yes) throw new UsageError(`this cannot be undone, and needs --yes. ${STAYS_ON_RECORD}`)
      take({ kind: 'nameRelease', ...common() })
    })
  program
    .command('account')
    .description('the account as a whole')
    .command('delete')
    .description('delete what nodes keep for the account, its username and all of its devices, this one last')
    .option('--yes', 'needed: nothing brings the account back', false)
    .option('--anyway', 'although nodes do not answer: what they keep stays there', false)
    .action(({ yes, anyway }: { yes: boolean; anyway: boolean }) => {
      if (!yes) throw new UsageError(`this cannot be undone, and needs --yes. ${STAYS_ON_RECORD}`)
      take({ kind: 'accountDelete', anyway, ...common() })
    })
  program
    .command('profile')
    .description('what others see of you')
    .command('set')
    .description('change it; those who have it are told with the next connection')
    .option('--name <TEXT>', 'how others see you', nonEmpty('name'))
    .option('--about <TEXT>', 'what you say about yourself; an empty text for nothing')
    .option('--picture <FILE>', 'a JPEG, PNG or WebP of at most 256 KiB; what is written beside the pixels stays here')
    .option('--no-picture', 'no picture any more')
    .addOption(
      new Option(
        '--seen-by <WHO>',
        'who sees all this besides people you write with: everybody who knows your username'
      ).choices(['everybody', 'contacts'])
    )
    .option('--found-by-handle', 'who knows the name of an account elsewhere that you show finds you by it')
    .option('--no-found-by-handle', 'only your username leads to you')
    .action(
      ({
        name: displayName,
        about,
        picture: chosen,
        seenBy,
        foundByHandle: isFoundByHandle
      }: {
        name?: string
        about?: string
        picture?: string | boolean
        seenBy?: ProfileVisibility['seenBy']
        foundByHandle?: boolean
      }) => {
        const picture = chosen === false ? null : typeof chosen === 'string' ? chosen : undefined
        const change = { displayName, about, picture, seenBy, isFoundByHandle }
        if (Object.values(change).every(value => value === undefined)) {
          throw new UsageError('--name, --about, --picture, --seen-by or --found-by-handle is missing')
        }
        take({ kind: 'profileSet', ...change, ...common() })
      }
    )
  program
    .command('status')
    .description('connection, network, messages that wait')
    .action(() => take({ kind: 'status', ...common() }))
}

const addChatCommands: AddCommands = (program, common, take) => {
  program
    .command('send')
    .argument('<PERSON>')
    .argument('[TEXT]')
    .option(
      '--file <PATH>',
      'send a file as it is, with what a camera wrote in it; what is said about it may be empty',
      nonEmpty('file')
    )
    .option('--text <T>', 'the text, for those who like options')
    .option(
      '--word <WORD>',
      'a word that the person wants to hear of strangers; whether it is right is not told',
      nonEmpty('word')
    )
    .description('send a message or a file; returns once the network keeps it')
    .action((to: string, written: string | undefined, options: { file?: string; text?: string; word?: string }) => {
      const { file, text = '', word } = options
      if (written !== undefined && options.text !== undefined) throw new UsageError('the text is there twice')
      if (file === undefined && (written ?? text).trim() === '') throw new UsageError('the text is empty')
      take({ kind: 'send', to, text: written ?? text, file, word, ...common() })
    })
  program
    .command('save')
    .argument('<MESSAGE>', 'the id of a message with a file, as `messages --json` prints it')
    .requiredOption('--out <DIR>', 'a folder; it is made if it is missing', nonEmpty('out'))
    .description('save the file of a message; a file that is there already is never written over')
    .action((message: string, { out }: { out: string }) => {
      if (!/^[0-9a-f]{64}$/.test(message)) throw new UsageError(`a message is named by 64 hex digits, got "${message}"`)
      take({ kind: 'save', message, out, ...common() })
    })
  program
    .command('messages')
    .argument('<PERSON>')
    .description('print the conversation as this device has it')
    .action((person: string) => take({ kind: 'messages', with: person, ...common() }))
  program
    .command('search')
    .argument('<TEXT>')
    .description('find people, chats and messages on this device, by words or parts of words')
    .option('--limit <N>', 'messages at most (default: 50)', positiveInteger('limit'))
    .action((text: string, { limit }: { limit?: number }) => {
      if (text.trim() === '') throw new UsageError('the text is empty')
      take({ kind: 'search', text, limit, ...common() })
    })
}

const addDeviceCommands: AddCommands = (program, common, take) => {
  const devices = program
    .command('devices')
    .description('the devices of this account, and since when the public record has them')
    .action(() => take({ kind: 'devices', ...common() }))
  devices
    .command('rename')
    .argument('<DEVICE>', 'or: this')
    .argument('<NAME>')
    .description('give a device another name, on all devices of the account')
    .action((device: string, name: string) => {
      if (name.trim() === '') throw new UsageError('the name is empty')
      take({ kind: 'rename', device: device === 'this' ? device : deviceIdStart(device), name, ...common() })
    })
  // The same by two names: beside `rename`, and as it was called first.
  addRevoke(devices.command('remove'), common, take)
  addRevoke(program.command('revoke'), common, take)
  program
    .command('sign')
    .argument('<FILE>')
    .description('sign a file with the key of this device; volo-verify signature and ssh-keygen -Y verify check it')
    .option('--out <FILE>', 'where the signature goes (default: the name of the file with .sig)', nonEmpty('out'))
    .action((file: string, { out }: { out?: string }) => take({ kind: 'sign', file, out, ...common() }))
  program
    .command('history')
    .description('messages from before this device was added')
    .command('status')
    .description('how far they are on their way from the device that added this one')
    .action(() => take({ kind: 'historyStatus', ...common() }))
}

function addRevoke(word: CommandWord, common: () => CommonOptions, take: (command: Command) => void): void {
  word
    .argument('<DEVICE>')
    .description('remove a device from this account for good; returns once the network has taken it')
    .option('--yes', 'needed to remove the device that runs the command', false)
    .action((device: string, { yes }: { yes: boolean }) =>
      take({ kind: 'revoke', device: deviceIdStart(device), yes, ...common() })
    )
}

function deviceIdStart(device: string): string {
  if (/^[0-9a-f]{8,32}$/.test(device)) return device
  throw new UsageError(`a device is named by 8 to 32 hex digits of its id, got "${device}"`)
}

const addLinkCommands: AddCommands = (program, common, take) => {
  const link = program.command('link').description('add a further device to an account')
  link
    .command('show')
    .description('on a device of the account: show a code, wait for the new device, ask')
    .option('--yes', 'add the first device that uses the code, without a question', false)
    .action(({ yes }: { yes: boolean }) => take({ kind: 'linkShow', yes, ...common() }))
  link
    .command('join')
    .argument('<CODE...>', 'the words, or the address in the QR code')
    .description('in an empty data directory: become a device of the account that shows the code')
    .option('--name <TEXT>', 'how you see this device', 'Command line')
    .action((words: string[], { name }: { name: string }) =>
      take({ kind: 'linkJoin', code: words.join(' '), name, ...common() })
    )
  link
    .command('scan')
    .argument('<PICTURE>', 'a PNG, such as a screenshot')
    .description('as join, with the QR code in a picture')
    .option('--name <TEXT>', 'how you see this device', 'Command line')
    .action((picture: string, { name }: { name: string }) => take({ kind: 'linkScan', picture, name, ...common() }))
}

const addRecoveryCommands: AddCommands = (program, common, take) => {
  const recovery = program
    .command('recovery')
    .description('the code that regains the account when all devices are gone')
  recovery
    .command('make')
    .description('make a recovery code, and write it into a file that only you can read')
    .requiredOption('--out <FILE>', 'a file that is not there yet', nonEmpty('out'))
    .action(({ out }: { out: string }) => take({ kind: 'recoveryMake', out, ...common() }))
  recovery
    .command('status')
    .description('whether the account has a code')
    .action(() => take({ kind: 'recoveryStatus', ...common() }))
  recovery
    .command('refuse')
    .description('take back a code that a device has made and that does not count yet')
    .action(() => take({ kind: 'recoveryRefuse', ...common() }))
  recovery
    .command('use')
    .description('regain an account in an empty data directory; ends all its other devices')
    .requiredOption('--recovery-file <FILE>', 'file with the code', nonEmpty('recovery-file'))
    .requiredOption('--username <NAME>', 'the username of the account', nonEmpty('username'))
    .option('--device-name <TEXT>', 'how you see this device', 'Command line')
    .action((options: { recoveryFile: string; username: string; deviceName: string }) => {
      const { recoveryFile: file, username, deviceName } = options
      take({ kind: 'recoveryUse', file, username: withoutAt(username), deviceName, ...common() })
    })
}

function sentenceOf({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'help is there for the commands only'
  const sentence = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '')
  return code === 'commander.excessArguments' ? `${sentence}; put texts with spaces in quotes` : sentence
}

function origin(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin
  throw new UsageError(`--node must be an address such as http://127.0.0.1:8787, got "${value}"`)
}

const LONGEST_TIMEOUT_S = 7 * 24 * 3600

/** @returns milliseconds. */
function seconds(value: string): number {
  const number = Number(value)
  if (value.trim() !== '' && number > 0 && number <= LONGEST_TIMEOUT_S) return Math.ceil(number * 1000)
  throw new UsageError(`--timeout must be a number of seconds above 0, got "${value}"`)
}
