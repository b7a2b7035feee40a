/** `volo-node backup`, `restore`, `drain` and the commands that look at a node: each with its help, its flags and its answer. */
import { terminalJson } from '../../protocol/terminal-text.ts'
import { runBackup, runRestore } from './backup-commands.ts'
import { readCommandArguments, type CommandArguments, type Outcome } from './command-arguments.ts'
import { doctor } from './doctor-command.ts'
import { drain } from './drain-command.ts'
import { peers, shards, status } from './look-commands.ts'
import { reports } from './reports-command.ts'

interface Command {
  /** Shown by `--help`, after the name. */
  usage: string
  help: string
  ownFlags: readonly string[]
  run(args: CommandArguments, version: string): Promise<Outcome>
}

const COMMANDS: Record<string, Command> = {
  status: {
    usage: 'status [--json] [settings]',
    help: `Shows the running node: version, network, chain, wallet, clients, messages that wait, other nodes, disk.
Exit code 0 says that it runs, not that it is ready: see "ready", or /readyz.`,
    ownFlags: [],
    run: status
  },
  peers: {
    usage: 'peers [--json] [settings]',
    help: `Shows the other nodes of the list in force: operator, connected or away, latency, last heartbeat.
Latency is the time of one question and its answer, measured by this command.`,
    ownFlags: [],
    run: peers
  },
  shards: {
    usage: 'shards [--json] [settings]',
    help: `Shows the shards that the running node keeps: their replicas, what waits in them, and the repair backlog.
The backlog counts mailboxes that differed from a replica when they were compared last, at most 30 seconds ago.`,
    ownFlags: [],
    run: shards
  },
  reports: {
    usage: 'reports [--json] [settings]',
    help: `Shows what people have reported to you about others: who, about whom, in their words, with the messages they chose.
Nobody can check the messages: a device can claim anything of what it decrypted. Reports are kept for 90 days.`,
    ownFlags: [],
    run: reports
  },
  doctor: {
    usage: 'doctor [--json] [settings]',
    help: `Looks for what keeps a node from working: DNS, certificate, its own address, clock, disk, chain, secrets.
The node may run or not; it is dialled under its public address only while it runs. Each line is ok, warn or fail, with
what to change. Exit code 1 says that a check failed.`,
    ownFlags: [],
    run: doctor
  },
  backup: {
    usage: 'backup --out DIR [--json] [settings]',
    help: `Copies all stores, key files and the network file of the data folder into DIR, which must be empty or not exist.
The node may run or not; the stores are copied as of one moment. Files are for their owner only and carry checksums.
The backup holds the secret keys that lie in the data folder: keep it as safe as the node. Files that settings name
elsewhere, such as VOLO_NODE_KEY_FILE, are named and not copied.`,
    ownFlags: ['--out'],
    run: runBackup
  },
  restore: {
    usage: 'restore --from DIR [--json] [settings]',
    help: `Verifies the backup in DIR and puts it into the data folder, which must be empty or not exist. Start the node then.
Never run the old node again: two processes under one key work against each other.`,
    ownFlags: ['--from'],
    run: runRestore
  },
  drain: {
    usage: 'drain [--json] [settings]',
    help: `Ends the running node within ten seconds, as SIGTERM does: it takes no new clients, finishes what it was given,
and sends its clients to other nodes. A service manager may start it again; "systemctl stop" and "docker stop" do not.`,
    ownFlags: [],
    run: drain
  }
}

/** Names of the commands that {@link runNodeCommand} knows. */
export const NODE_COMMANDS = Object.keys(COMMANDS)

/** The commands for the list of all. */
export function describeNodeCommands(): string {
  const lines = Object.values(COMMANDS).map(({ usage, help }) => `  volo-node ${usage}\n      ${help.split('\n')[0]!}`)
  return lines.join('\n')
}

/**
 * Runs one of {@link NODE_COMMANDS}.
 *
 * @param args - the command and all after it.
 * @param version - of this program.
 * @returns what to print, and why it ends with 1 if it does.
 * @throws UsageError, or ConfigError for what an operator can mend.
 */
export async function runNodeCommand(
  args: string[],
  env: Record<string, string | undefined>,
  version: string
): Promise<{ output: string; failure?: string }> {
  const [name, ...rest] = args
  const { usage, help, ownFlags, run } = COMMANDS[name!]!
  if (rest.includes('--help')) return { output: `volo-node ${usage}\n\n${help}\n\n${EXIT_CODES}` }
  const parsed = readCommandArguments(name!, rest, ownFlags, env)
  const { text, json, failure } = await run(parsed, version)
  return { output: parsed.json ? terminalJson(json, 2) : text, ...(failure && { failure }) }
}

const EXIT_CODES = `Exit codes: 0 done, 1 it could not be done, 2 it was written wrongly.
Settings are those of the running node, such as VOLO_DATA_DIR; "volo-node --help" lists them.`
