/** Runs one parsed command against a peer of its own, and turns its outcome into an exit code. */
import { createNodePeer, type NodePeer } from '../node-peer.ts'
import { EXIT, type Run, type Runnable } from './commands/runnable.ts'
import { readPassphrase, type Environment } from './config.ts'
import { CommandError } from './errors.ts'
import { createOutput, type Output, type Terminal } from './output.ts'
import { errorWords, statusProblemWords } from './words.ts'

const account = () => import('./commands/account.ts')
const messages = () => import('./commands/messages.ts')
const readMessages = () => import('./commands/read-messages.ts')
const files = () => import('./commands/files.ts')
const amend = () => import('./commands/amend.ts')
const devices = () => import('./commands/devices.ts')
const people = () => import('./commands/people.ts')
const groups = () => import('./commands/groups.ts')
const link = () => import('./commands/link.ts')
const requests = () => import('./commands/requests.ts')
const invites = () => import('./commands/invites.ts')
const sign = () => import('./commands/sign.ts')
const social = () => import('./commands/social.ts')
const safety = () => import('./commands/safety.ts')
const search = () => import('./commands/search.ts')
const complaints = () => import('./commands/complaints.ts')
const backup = () => import('./commands/backup.ts')
const recovery = () => import('./commands/recovery.ts')

/** Where each command is found; a command loads the file of its own group only. */
const RUNNERS: { [K in Runnable['kind']]: () => Promise<Run<K>> } = {
  register: async () => (await account()).register,
  whoami: async () => (await account()).whoami,
  name: async () => (await account()).name,
  nameRelease: async () => (await account()).nameRelease,
  accountDelete: async () => (await account()).accountDelete,
  profileSet: async () => (await account()).profileSet,
  privacy: async () => (await account()).privacy,
  status: async () => (await account()).status,
  send: async () => (await messages()).send,
  save: async () => (await files()).save,
  listen: async () => (await messages()).listen,
  messages: async () => (await readMessages()).messages,
  search: async () => (await search()).search,
  safety: async () => (await safety()).safety,
  safetyCheck: async () => (await safety()).safetyCheck,
  sign: async () => (await sign()).sign,
  socialLink: async () => (await social()).socialLink,
  socialUnlink: async () => (await social()).socialUnlink,
  socialShow: async () => (await social()).socialShow,
  socialList: async () => (await social()).socialList,
  inviteLink: async () => (await invites()).inviteLink,
  inviteMail: async () => (await invites()).inviteMail,
  inviteAccept: async () => (await invites()).inviteAccept,
  inviteList: async () => (await invites()).inviteList,
  inviteRevoke: async () => (await invites()).inviteRevoke,
  reply: async () => (await messages()).reply,
  forward: async () => (await messages()).forward,
  pollCreate: async () => (await messages()).pollCreate,
  pollVote: async () => (await amend()).pollVote,
  details: async () => (await amend()).details,
  pollShow: async () => (await amend()).pollShow,
  react: async () => (await amend()).react,
  edit: async () => (await amend()).edit,
  delete: async () => (await amend()).deleteMessage,
  pin: async () => (await amend()).pin,
  star: async () => (await amend()).star,
  timer: async () => (await amend()).timer,
  devices: async () => (await devices()).devices,
  rename: async () => (await devices()).rename,
  historyStatus: async () => (await devices()).historyStatus,
  revoke: async () => (await devices()).revoke,
  person: async () => (await people()).person,
  contacts: async () => (await people()).contacts,
  contactsAdd: async () => (await people()).contactsAdd,
  contactsRemove: async () => (await people()).contactsRemove,
  block: async () => (await people()).block,
  report: async () => (await people()).report,
  unblock: async () => (await people()).unblock,
  groupCreate: async () => (await groups()).groupCreate,
  groupAdd: async () => (await groups()).groupAdd,
  groupRemove: async () => (await groups()).groupRemove,
  groupPromote: async () => (await groups()).groupPromote,
  groupDemote: async () => (await groups()).groupDemote,
  groupRename: async () => (await groups()).groupRename,
  groupDescribe: async () => (await groups()).groupDescribe,
  groupPicture: async () => (await groups()).groupPicture,
  groupMute: async () => (await groups()).groupMute,
  groupPictureSave: async () => (await groups()).groupPictureSave,
  groupRights: async () => (await groups()).groupRights,
  groupLeave: async () => (await groups()).groupLeave,
  groupList: async () => (await groups()).groupList,
  groupMembers: async () => (await groups()).groupMembers,
  groupLink: async () => (await groups()).groupLink,
  groupRequests: async () => (await groups()).groupRequests,
  groupApprove: async () => (await groups()).groupApprove,
  groupJoin: async () => (await groups()).groupJoin,
  groupAccept: async () => (await groups()).groupAccept,
  groupIgnore: async () => (await groups()).groupIgnore,
  linkShow: async () => (await link()).linkShow,
  linkJoin: async () => (await link()).linkJoin,
  linkScan: async () => (await link()).linkScan,
  requests: async () => (await requests()).requests,
  requestsWord: async () => (await requests()).requestsWord,
  requestsAccept: async () => (await requests()).requestsAccept,
  requestsIgnore: async () => (await requests()).requestsIgnore,
  recoveryMake: async () => (await recovery()).recoveryMake,
  recoveryStatus: async () => (await recovery()).recoveryStatus,
  recoveryRefuse: async () => (await recovery()).recoveryRefuse,
  recoveryUse: async () => (await recovery()).recoveryUse,
  backupNow: async () => (await backup()).backupNow,
  backupStatus: async () => (await backup()).backupStatus,
  backupSettings: async () => (await backup()).backupSettings,
  backupCheck: async () => (await backup()).backupCheck,
  restore: async () => (await backup()).restore,
  complaintsList: async () => (await complaints()).complaintsList,
  complaintsCheck: async () => (await complaints()).complaintsCheck,
  complaintsExport: async () => (await complaints()).complaintsExport,
  exportAll: async () => (await import('./commands/export.ts')).exportAll
}

/** Runs a command on a peer of its own. @returns the exit code. */
export async function runCommand(command: Runnable, environment: Environment, terminal: Terminal): Promise<number> {
  const output = createOutput(command.json, terminal)
  let peer: NodePeer | undefined
  try {
    peer = await createNodePeer({
      dataDir: command.data,
      nodeUrl: command.node,
      passphrase: await readPassphrase(environment.passphraseFile),
      debug: environment.debug
    })
    await peer.start()
    return await runOn(peer, command, output)
  } catch (error) {
    return exitOf(error, output)
  } finally {
    await peer?.stop()
  }
}

/** Runs a command on a peer that runs already. @returns the exit code. */
export async function runOn(peer: NodePeer, command: Runnable, output: Output): Promise<number> {
  const code = await outcomeOf(peer, command, output)
  if (code !== EXIT.done) await noteWrongClock(peer, output)
  return code
}

async function outcomeOf(peer: NodePeer, command: Runnable, output: Output): Promise<number> {
  try {
    const run = (await RUNNERS[command.kind]()) as Run<Runnable['kind']>
    return await run(peer, command, output)
  } catch (error) {
    return exitOf(error, output)
  }
}

/** A command that did not do its work says so where the clock is the cause: nodes let no device in whose clock is wrong. */
async function noteWrongClock(peer: NodePeer, output: Output): Promise<void> {
  const { problem } = (await peer.snapshot()).status
  if (problem?.code === 'clock-wrong') output.note(statusProblemWords(problem))
}

function exitOf(error: unknown, output: Output): number {
  output.note(errorWords(error))
  return error instanceof CommandError && error.isTimeout ? EXIT.timedOut : EXIT.failed
}
