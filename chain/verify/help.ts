/** Texts of `--help`. Imports nothing, so that help is there at once. */

const OPTIONS = `Sources (at least one; two independent ones give trust level L2)
  --node URL             a Volo node; may be given again
  --blockfrost URL       a Blockfrost-compatible API; everything is replayed from raw transactions; may be given again
  --project-id-file FILE project id for the --blockfrost before it
  --proof FILE           a proof file instead of any network; may be given again
  --network FILE         JSON with the network's genesis parameters; without it a node or proof file is asked for them

What counts
  --min-conf N           confirmations that the latest change needs (default 1; 0 takes pending changes too)
  --trust-level L        L0 to L4 (default: L1 from one source, L2 from several)
  --at-height H          look at the state just after block H
  --max-tip-age MINUTES  how old the newest block of a source may be (default 30)

Output
  --json                 one JSON object on standard output, see docs/verify.md
  --quiet                nothing but the exit code
  -h, --help             this text
  --version              the version of this program

Exit codes: 0 verified at the trust asked for (by one source: L1, which it alone could have cut short), 1 contradiction,
2 usage or malformed input, 3 unconfirmed or below the trust asked for, 4 not found or revoked, 5 source unreachable.
`

interface CommandHelp {
  usage: string
  summary: string
  more?: string
}

const COMMANDS: Readonly<Record<string, CommandHelp>> = {
  account: {
    usage: 'account <@name|id>',
    summary: "an account's devices, live and revoked, from its records"
  },
  device: {
    usage: 'device <@name|id> <device>',
    summary: 'whether a device of an account is live',
    more: '<device> is a device id (32 hex digits), its signing key (64) or its registered messaging key (2432).'
  },
  keys: {
    usage: 'keys <@name|id>',
    summary: "the signing keys of an account's live devices, for SSH, Git and other tools",
    more: `  --format FORMAT        allowed-signers (default; for ssh-keygen -Y verify and Git), ssh or jwk
  --out FILE             written only if the account is verified`
  },
  signature: {
    usage: 'signature FILE --by <@name|id>',
    summary: 'whether a live device of an account signed a file, as volo-peer sign does',
    more: `  --by <@name|id>        who is said to have signed it
  --signature FILE       the signature (default: the name of the file with .sig)`
  },
  record: {
    usage: 'record <txid>#<i>',
    summary: 'one record, decoded, with each check',
    more: `  --account <@name|id>   whose record it is: needed with --node and --proof, which answer by account`
  },
  'safety-number': {
    usage: 'safety-number <@name|id> <@name|id>',
    summary: 'the number that two people compare',
    more: `  --expect DIGITS        60 digits of the conversation, or 30 of the second person; anything else is a contradiction`
  },
  'proof export': {
    usage: 'proof export <@name|id> --out FILE',
    summary: 'keep a verified proof, to be checked offline',
    more: '  --out FILE             written only if the account is verified'
  },
  'proof check': {
    usage: 'proof check FILE [<@name|id>]',
    summary: 'check a proof file without any network',
    more: 'With a name or id, the proof must be of exactly that account.'
  },
  audit: {
    usage: 'audit',
    summary: 'replay the whole directory from raw transactions, and hold nodes against it',
    more: `Needs --blockfrost. Each --node is compared account by account and name by name.
  --from-height H        report and compare only what changed from block H on`
  },
  monitor: {
    usage: 'monitor <@name|id>',
    summary: 'alert when the records of an account change',
    more: `  --interval SECONDS     look this often until stopped (default 60)
  --once                 look once and end
  --state FILE           where the known state is kept between runs; a change counts until it is accepted
  --accept               take the state as it is now for the known one
A change is exit code 3; a history that was rewritten, or shrank, is 1.`
  },
  name: {
    usage: 'name <@name>',
    summary: 'who holds a name, and the history of its claims',
    more: 'The claims of other accounts are known only with --blockfrost.'
  },
  compare: {
    usage: 'compare [<@name|id> ...]',
    summary: 'hold sources against each other',
    more: `  --source URL           a node or a Blockfrost API, whichever answers; may be given again, like --node and --blockfrost
Two nodes are compared on the accounts named; Blockfrost servers on the whole directory.`
  },
  doctor: {
    usage: 'doctor',
    summary: 'whether the sources and this machine are in order'
  },
  bundle: {
    usage: 'bundle --node URL',
    summary: 'whether nodes serve the released web app, file by file',
    more: `Each --node is compared with the manifest whose hash the newest RELEASE record names; other sources confirm the record.
  --manifest FILE        the manifest of your own build, for nodes that do not serve the released one`
  },
  complaint: {
    usage: 'complaint FILE',
    summary: 'whether a node promised to keep a message and then signed that it does not hold it',
    more: `Asks nobody. Exit code 0: the complaint holds. 1: it does not, with a sentence that says why.
  --network FILE         refuse a complaint of any other network`
  },
  nodes: {
    usage: 'nodes [FILE ...] --node URL',
    summary: "each operator's broken promises, counted again from published complaints",
    more: `Every complaint that the named nodes publish, and every FILE, is judged here; what does not hold is not counted.`
  }
}

/** Help on one command, or on all of them. @param command - as in the table; anything else is all. */
export function helpText(command?: string): string {
  const found = command === undefined ? undefined : COMMANDS[command]
  if (found) {
    const more = found.more === undefined ? '' : `${found.more}\n\n`
    return `volo-verify ${found.usage}: ${found.summary}\n\n${more}${OPTIONS}`
  }
  const width = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length)) + 2
  const list = Object.values(COMMANDS).map(({ usage, summary }) => `  ${usage.padEnd(width)}${summary}`)
  return `volo-verify: check keys against the public record on Cardano. Reads only, needs no secrets.

Usage: volo-verify <command> [options]      volo-verify <command> --help

${list.join('\n')}

${OPTIONS}`
}
