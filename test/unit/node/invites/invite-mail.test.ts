import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inviteMail, isMailAddress } from '../../../../node/invites/invite-mail.ts'
import { MAILS_PER_ACCOUNT_PER_DAY, MAILS_PER_ADDRESS_PER_DAY } from '../../../../node/invites/invite-service.ts'
import { Mailer } from '../../../../node/invites/mailer.ts'
import type { Logger } from '../../../../node/ports.ts'
import type { Invite } from '../../../../protocol/invite/invite-link.ts'
import { commandOn } from '../../../support/peer/run-peer.ts'
import { twoPeers, type TwoPeers } from '../../../support/peer/two-peers.ts'
import { eventually } from '../../../support/wait-for.ts'

const CANARY = 'grace.hopper+canary@example.com'
const PASSWORD = 'p@ss/word'

interface Received {
  to: string[]
  from: string
  text: string
}

const received: Received[] = []
const logged: unknown[] = []
const logger: Logger = {
  forComponent: () => logger,
  debug: (...line) => void logged.push(line),
  info: (...line) => void logged.push(line),
  warn: (...line) => void logged.push(line),
  error: (...line) => void logged.push(line)
}

let peers: TwoPeers
let smtp: SMTPServer
let port: number

beforeEach(async () => {
  received.length = logged.length = 0
  smtp = new SMTPServer({ ...INBOX, authOptional: false })
  await new Promise<void>(resolve => smtp.listen(0, '127.0.0.1', resolve))
  port = (smtp.server.address() as AddressInfo).port
  peers = await twoPeers()
})
afterEach(async () => {
  await peers.stop()
  await new Promise<void>(resolve => smtp.close(resolve))
})

/** A real mail server that asks for a password and keeps what it gets. */
const INBOX: SMTPServerOptions = {
  disabledCommands: ['STARTTLS'],
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _session, done) =>
    username === 'volo' && password === PASSWORD ? done(null, { user: 'volo' }) : done(new Error('wrong password')),
  onData: (stream, { envelope }, done) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const { mailFrom, rcptTo } = envelope
      const text = Buffer.concat(chunks).toString('utf8').replace(/=\r\n/g, '').replace(/=3D/g, '=')
      received.push({ to: rcptTo.map(({ address }) => address), from: mailFrom ? mailFrom.address : '', text })
      done()
    })
  }
}

function configureMail(password = PASSWORD): void {
  const url = `smtp://volo:${encodeURIComponent(password)}@127.0.0.1:${port}`
  peers.network.invites.mailer = new Mailer({ logger }, { url, from: 'no-reply@node.example' })
}

describe('an invitation by e-mail', () => {
  test('arrives with a link that works, and the address is kept nowhere', async () => {
    configureMail()
    const { ada, bob, network } = peers
    expect(await ada.engine.invites.canMail()).toBe(true)
    const { code, stdout } = await commandOn(ada.engine, 'invite', 'mail', CANARY, '--json')
    expect(code).toBe(0)
    expect(received).toHaveLength(1)
    const [mail] = received
    expect(mail).toMatchObject({ to: [CANARY], from: 'no-reply@node.example' })
    expect(mail!.text).toMatch(/^Auto-Submitted: auto-generated\r$/m)
    const link = /https:\/\/node\.example\/#\/i\/[\w-]+/.exec(mail!.text)![0]
    expect(await bob.engine.invites.look(link)).toMatchObject({ displayName: 'ada' })
    // The test's node has no such name; its link leads to the same code.
    await bob.engine.invites.accept(link.replace('https://node.example', network.url()))
    await eventually(async () => (await ada.engine.people.contacts()).length === 1, 'Ada has heard of it')
    const kept: string[] = []
    for await (const entry of network.invites.store.iterator({ gte: '', lt: '~' })) kept.push(entry.join(' '))
    const everything = [...kept, JSON.stringify(logged), stdout, JSON.stringify(await ada.engine.invites.list())]
    expect(everything.join('\n')).not.toContain('canary')
  })

  test('has limits for the one who invites and for the address', async () => {
    configureMail()
    const { ada, bob } = peers
    for (let i = 0; i < MAILS_PER_ADDRESS_PER_DAY; i++) await ada.engine.invites.mail(CANARY)
    const refused = { code: 'refused', facts: { refusal: 'rate-limited' } }
    // Another spelling of the same address, and another person who writes to it.
    await expect(ada.engine.invites.mail(CANARY.toUpperCase())).rejects.toMatchObject(refused)
    await expect(bob.engine.invites.mail(CANARY)).rejects.toMatchObject(refused)
    for (let i = MAILS_PER_ADDRESS_PER_DAY + 1; i < MAILS_PER_ACCOUNT_PER_DAY; i++) {
      await ada.engine.invites.mail(`friend${i}@example.com`)
    }
    await expect(ada.engine.invites.mail('one-more@example.com')).rejects.toMatchObject(refused)
    expect(received).toHaveLength(MAILS_PER_ACCOUNT_PER_DAY - 1)
  })

  test('goes to one address and to nothing that is written into it', async () => {
    configureMail()
    const hostile = ['a@b.example, c@d.example', 'a@b.example\r\nBcc: c@d.example', '<a@b.example>', 'a', '@', 'a@b']
    for (const address of hostile) {
      await expect(peers.ada.engine.invites.mail(address)).rejects.toMatchObject({ code: 'mail-address' })
    }
    expect(received).toEqual([])
    expect(await peers.ada.engine.invites.list()).toEqual([])
  })

  test('fails with a sentence where the mail server refuses, and the log has no address', async () => {
    configureMail('another')
    const { code, stderr } = await commandOn(peers.ada.engine, 'invite', 'mail', CANARY)
    expect(code).toBe(1)
    expect(stderr).not.toBe('')
    expect(JSON.stringify(logged)).toContain('EAUTH')
    expect(JSON.stringify(logged)).not.toContain('canary')
  })
})

describe('the mail', () => {
  const invite = { username: 'ada', displayName: 'Ada' } as Invite

  test('says who invites, by a name that means nothing to a mail program', () => {
    expect(inviteMail('b@c.example', invite, 'L').subject).toBe('Ada (@ada) invites you to Volo')
    const hostile = { username: null, displayName: 'Your Bank <https://evil.example>' } as Invite
    expect(inviteMail('b@c.example', hostile, 'L').subject).toBe('Your Bank httpsevil.example invites you to Volo')
    expect(inviteMail('b@c.example', { username: null, displayName: '' } as Invite, 'L').subject).toMatch(/^A person/)
  })

  test.each(['a@b.example', 'first.last+tag@sub.example.org'])('goes to %s', address => {
    expect(isMailAddress(address)).toBe(true)
  })
})
