/** The words of the commands about promises of nodes. */
import type { AddCommandsOf, CommonOptions } from './command-options.ts'
import { messageId } from './message-commands.ts'

export type ComplaintCommand =
  | ({ kind: 'complaintsList' } & CommonOptions)
  | ({ kind: 'complaintsCheck'; chat: string; message: string } & CommonOptions)
  | ({ kind: 'complaintsExport'; out: string } & CommonOptions)

/** Adds `complaints`, `complaints check` and `complaints export`. */
export const addComplaintCommands: AddCommandsOf<ComplaintCommand> = (program, common, take) => {
  const complaints = program
    .command('complaints')
    .description('promises that nodes signed and broke')
    .action(() => take({ kind: 'complaintsList', ...common() }))
  complaints
    .command('check')
    .argument('<CHAT>')
    .argument('<MESSAGE>')
    .description('ask the nodes that signed for a message whether they still hold it')
    .action((chat: string, message: string) =>
      take({ kind: 'complaintsCheck', chat, message: messageId(message), ...common() })
    )
  complaints
    .command('export')
    .description('write each complaint as a file that volo-verify complaint judges')
    .requiredOption('--out <DIR>', 'folder for the files')
    .action(({ out }: { out: string }) => take({ kind: 'complaintsExport', out, ...common() }))
}
