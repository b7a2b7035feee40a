/** `register`, `whoami`, `name`, `profile set`, `privacy` and `status`. */
import { PeerError } from '../../errors.ts'
import type { Me } from '../../peer-api.ts'
import { demoSignIn } from '../demo-sign-in.ts'
import { STAYS_ON_RECORD } from '../stays-on-record.ts'
import { commandError } from '../errors.ts'
import { nameOf, printable, recordLine } from '../output.ts'
import { statusProblemWords } from '../words.ts'
import { readPicture } from './picture.ts'
import {
  EXIT,
  LOOK_UP_TIMEOUT_MS,
  me,
  NAME_WAIT_MS,
  orTimeout,
  REGISTER_TIMEOUT_MS,
  requireLive,
  requireRegistered,
  type Run
} from './runnable.ts'

/** Where the demo sign-in sends the browser back to. Nothing listens there: the command only recognises the address. */
const RETURN_TO = 'http://127.0.0.1:9/'

export const register: Run<'register'> = async (peer, command, output) => {
  const deadline = Date.now() + (command.timeoutMs ?? REGISTER_TIMEOUT_MS)
  const signal = AbortSignal.timeout(deadline - Date.now())
  const me = await orTimeout(signal, 'register', async () => {
    const { stage, me: existing } = await peer.snapshot()
    if (stage === 'ready') {
      throw commandError('directory-taken', { name: nameOf(existing!) })
    }
    const availability = await peer.account.checkName(command.username)
    if (availability === 'invalid') throw new PeerError('invalid-name')
    if (availability === 'taken') throw new PeerError('name-taken', { username: command.username })
    if (stage === 'welcome') {
      const provider = (await peer.account.providers()).find(({ demo }) => demo)
      if (!provider) throw commandError('no-demo-sign-in', {})
      const url = await peer.account.startSignIn(provider.id, RETURN_TO)
      await peer.account.finishSignIn(await demoSignIn(fetch, url, RETURN_TO, command.demoUser, signal))
    }
    return peer.account.register(command)
  })
  const nameWait = Math.max(0, Math.min(NAME_WAIT_MS, deadline - Date.now()))
  const findable = await peer.account.settleName(nameWait)
  const now = (await peer.snapshot()).me ?? me
  await output.print(
    { ...meJson(now), findable },
    `Registered as @${command.username}.\nAccount ${now.accountId}, ${recordLine(now.record)}.\n` +
      (findable
        ? 'Others can find you by your username.'
        : 'Your username is being reserved; it is finished by the next command.')
  )
  return EXIT.done
}

export const whoami: Run<'whoami'> = async (peer, command, output) => {
  await requireRegistered(peer)
  await peer.account.refresh(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  const self = await me(peer)
  await output.print(
    { ...meJson(self), data: command.data },
    `${nameOf(self)}\nAccount  ${self.accountId}\nDevice   ${self.deviceId} (${printable(self.deviceName)})\n` +
      `Record   ${recordLine(self.record)}\nUsername ${self.nameState}`
  )
  return EXIT.done
}

export const name: Run<'name'> = async (peer, command, output) => {
  await requireLive(peer)
  const deadline = Date.now() + (command.timeoutMs ?? REGISTER_TIMEOUT_MS)
  const signal = AbortSignal.timeout(deadline - Date.now())
  await orTimeout(signal, 'claim-name', async () => {
    if (!(await peer.online(deadline - Date.now()))) throw commandError('no-node-in-time', {})
    await peer.account.refresh(LOOK_UP_TIMEOUT_MS)
    return peer.account.claimName(command.username)
  })
  const findable = await peer.account.settleName(Math.max(0, Math.min(NAME_WAIT_MS, deadline - Date.now())))
  const self = await me(peer)
  await output.print(
    { ...meJson(self), findable },
    findable
      ? `Others can find you as @${command.username}.`
      : `@${command.username} is being reserved; it is finished by the next command.`
  )
  return EXIT.done
}

export const nameRelease: Run<'nameRelease'> = async (peer, command, output) => {
  await requireLive(peer)
  if (!(await peer.online(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS))) throw commandError('no-node-in-time', {})
  const self = await peer.account.releaseName()
  await output.print(meJson(self), 'The username is given back; claim another one with: volo-peer name NAME')
  return EXIT.done
}

export const accountDelete: Run<'accountDelete'> = async (peer, { anyway, timeoutMs, data }, output) => {
  await requireLive(peer)
  if (!(await peer.online(timeoutMs ?? LOOK_UP_TIMEOUT_MS))) throw commandError('no-node-in-time', {})
  const deleted = await peer.account.deleteAccount({ anyway })
  const { objects, names, devices } = deleted
  await output.print(
    deleted,
    `Deleted: ${objects} stored object(s), ${names} name(s), ${devices} device(s).\n` +
      `What is on this machine stays until you delete ${data}. ${STAYS_ON_RECORD}`
  )
  return EXIT.done
}

export const profileSet: Run<'profileSet'> = async (peer, command, output) => {
  await requireLive(peer)
  const { displayName, about, picture: file } = command
  const picture = typeof file === 'string' ? await readPicture(file) : file
  // A picture is handed to nodes before anything is changed.
  if (picture) await peer.online(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS)
  const self = await peer.account.changeProfile({
    ...(displayName === undefined ? {} : { displayName }),
    ...(about === undefined ? {} : { about }),
    ...(picture === undefined ? {} : { picture })
  })
  const { seenBy, isFoundByHandle } = command
  const chosen = { ...(seenBy && { seenBy }), ...(isFoundByHandle !== undefined && { isFoundByHandle }) }
  const { visibility } = Object.keys(chosen).length > 0 ? await peer.account.changeVisibility(chosen) : self
  // What waits is handed in when the command ends, if there is a connection by then; else by the next command.
  const isOnline = await peer.online(Math.min(command.timeoutMs ?? LOOK_UP_TIMEOUT_MS, LOOK_UP_TIMEOUT_MS))
  await output.print(
    { ...meJson(self), about: self.about, picture: self.picture, visibility },
    isOnline
      ? `Others see you as ${printable(self.displayName ?? '')}${self.about === '' ? '' : `: ${printable(self.about)}`}.`
      : 'The profile is changed here. Others hear of it with the next connection.'
  )
  return EXIT.done
}

export const privacy: Run<'privacy'> = async (peer, command, output) => {
  await requireRegistered(peer)
  const { tellsRead, tellsTyping, tellsPresence } = command
  const change = {
    ...(tellsRead === undefined ? {} : { tellsRead }),
    ...(tellsTyping === undefined ? {} : { tellsTyping }),
    ...(tellsPresence === undefined ? {} : { tellsPresence })
  }
  const { privacy: now } = Object.keys(change).length > 0 ? await peer.account.changePrivacy(change) : await me(peer)
  const onOff = (isOn: boolean): string => (isOn ? 'on' : 'off')
  const lines = [
    `Read receipts  ${onOff(now.tellsRead)}`,
    `Typing         ${onOff(now.tellsTyping)}`,
    `Presence       ${onOff(now.tellsPresence)}`
  ]
  await output.print(now, lines.join('\n'))
  return EXIT.done
}

export const status: Run<'status'> = async (peer, _command, output) => {
  await peer.caughtUp(LOOK_UP_TIMEOUT_MS)
  const { stage, me: self, status: now } = await peer.snapshot()
  // Of a removed device: nobody else has them.
  const unsent = self !== null && self.deviceState !== 'live' ? await peer.messages.unsent() : []
  await output.print(
    {
      stage,
      username: self?.username ?? null,
      accountId: self?.accountId ?? null,
      ...now,
      unsent: unsent.map(({ id, conversationId, text }) => ({ id, conversationId, text }))
    },
    [
      self ? `Registered as ${nameOf(self)}` : 'Not registered',
      `Connection  ${now.connection}${now.node === null ? '' : ` to ${printable(now.node)}`}`,
      `Network     ${now.network ? `${printable(now.network.label)}, ${now.listedNodes} listed node(s), epoch ${now.epoch}` : 'unknown'}`,
      `Waiting     ${now.waiting} message(s)`,
      ...(now.problem === null ? [] : [`Problem     ${statusProblemWords(now.problem)}`]),
      ...unsent.map(({ text }) => `Not sent    ${printable(text)}`)
    ].join('\n')
  )
  return EXIT.done
}

function meJson(self: Me): object {
  const { accountId, deviceId, username, displayName, deviceName, nameState, record } = self
  return { accountId, deviceId, username, displayName, deviceName, nameState, record }
}
