import type { Catalogue } from '../catalogue.ts'
import { accounts } from './accounts.ts'
import { app } from './app.ts'
import { backup } from './backup.ts'
import { chats } from './chats.ts'
import { failures, holds, messageProblems, statusProblems } from './failures.ts'
import { files } from './files.ts'
import { groups } from './groups.ts'
import { firstRun } from './first-run.ts'
import { linking } from './linking.ts'
import { invites } from './invites.ts'
import { lock } from './lock.ts'
import { ownDevices } from './own-devices.ts'
import { recovery } from './recovery.ts'
import { messages } from './messages.ts'
import { technical } from './technical.ts'
import { trust } from './trust.ts'
import { you } from './you.ts'

/** Every word that the app shows, in Arabic, by screen. Names inside sentences are isolated, since they may run the other way. */
export const ar: Catalogue = {
  locale: 'ar',
  appName: 'Volo',
  ...app,
  ...firstRun,
  ...linking,
  ...ownDevices,
  ...recovery,
  ...chats,
  ...messages,
  ...files,
  ...backup,
  ...trust,
  ...technical,
  ...you,
  ...accounts,
  ...lock,
  ...invites,
  ...groups,
  failures,
  holds,
  messageProblems,
  statusProblems
}
