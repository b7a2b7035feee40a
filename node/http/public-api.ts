import type { RegistrationService } from '../accounts/registration-service.ts'
import type { SignInService } from '../accounts/sign-in/sign-in-service.ts'
import type { WalletSignIn } from '../accounts/wallet/wallet-sign-in.ts'
import type { DeviceRegistrationService } from '../linking/device-registration-service.ts'
import type { Rendezvous } from '../linking/rendezvous.ts'
import type { NodeConfig } from '../config/config.ts'
import type { DirectoryPort } from '../key-directory/directory-port.ts'
import type { RecordOutbox } from '../key-directory/record-outbox.ts'
import { allowAnyOrigin } from './cors.ts'
import type { InviteService } from '../invites/invite-service.ts'
import { directoryRoutes } from './directory-routes.ts'
import { backupRoutes } from './backup-routes.ts'
import { healthRoutes, type Readiness } from './health-routes.ts'
import type { HttpServer } from './http-server.ts'
import { inviteRoutes } from './invite-routes.ts'
import type { ComplaintBook } from '../complaints/complaint-book.ts'
import { custodyRoutes, type CustodyAnswers } from './custody-routes.ts'
import { linkRoutes } from './link-routes.ts'
import { deviceRoutes, linkingRoutes } from './linking-routes.ts'
import { networkRoutes, type NetworkFacts } from './network-routes.ts'
import { objectRoutes } from './object-routes.ts'
import type { DeviceAuthorization } from './device-authorization.ts'
import type { BackupHeads } from '../storage/backup-heads.ts'
import type { ObjectService } from '../storage/object-service.ts'
import type { DemoSignIn } from './open-demo-sign-in.ts'
import { recoveryRoutes } from './recovery-routes.ts'
import { registrationRoutes } from './registration-routes.ts'
import { providerRoutes, signInCodeRoutes, signInRoutes } from './sign-in-routes.ts'
import { reportRoutes } from './report-routes.ts'
import { siteRoutes } from './site-routes.ts'
import { staticApp, webFolder } from './static-app.ts'
import type { ReportService } from '../reports/report-service.ts'
import type { AccountLinks } from '../social/account-links.ts'
import type { SiteChecker } from '../social/site-checker.ts'
import { walletRoutes } from './wallet-routes.ts'
import { wellKnownRoutes } from './well-known-routes.ts'
import type { NameProofs } from '../key-directory/name-proofs.ts'

/** What answers requests on the public port. */
export interface PublicApiComponents {
  http: HttpServer
  directory: DirectoryPort
  signIn: SignInService
  /** Undefined where people cannot sign in with a wallet. */
  wallet: WalletSignIn | undefined
  registration: RegistrationService
  rendezvous: Rendezvous
  devices: DeviceRegistrationService
  records: Pick<RecordOutbox, 'add'>
  objects: ObjectService
  invites: InviteService
  nameProofs: NameProofs
  sites: SiteChecker
  links: AccountLinks
  reports: ReportService
  /** Of backups. */
  heads: BackupHeads
  authorization: DeviceAuthorization
  complaints: ComplaintBook
  custody: CustodyAnswers
  demo: DemoSignIn | undefined
  readiness(): Readiness
}

/** Adds all routes of the public port: health, the app, then the API, whose readers may come from any origin. */
export async function addPublicApi(
  components: PublicApiComponents,
  { publicUrl, webDir }: Pick<NodeConfig, 'publicUrl' | 'webDir'>,
  facts: NetworkFacts
): Promise<void> {
  const { http, directory, signIn, registration, records, rendezvous, devices, demo, readiness } = components
  await http.prepare()
  await http.addOpen(app => healthRoutes(app, facts.version, readiness))
  await http.addOpen(app => staticApp(app, webFolder(webDir)))
  await http.addLimited(app => {
    allowAnyOrigin(app)
    networkRoutes(app, facts)
    directoryRoutes(app, directory)
    wellKnownRoutes(app, components.nameProofs)
    providerRoutes(app, signIn)
    app.get('/v1/openapi.json', { schema: { hide: true } }, async () => http.openApi())
  })
  await http.addLimited(app => linkingRoutes(app, rendezvous))
  await http.addLimited(app => deviceRoutes(app, devices))
  await http.addLimited(app => custodyRoutes(app, components.custody, components.complaints))
  await http.addLimited(app => siteRoutes(app, components.sites))
  await http.addLimited(app => linkRoutes(app, components.links, components.authorization))
  await http.addLimited(app => reportRoutes(app, components.reports, components.authorization))
  await http.addLimited(app => inviteRoutes(app, components.invites))
  await http.addLimited(app => objectRoutes(app, components))
  await http.addLimited(app => backupRoutes(app, components.heads, components.authorization))
  await http.addLimited(async app => {
    signInRoutes(app, signIn, { publicUrl })
    signInCodeRoutes(app, signIn)
    registrationRoutes(app, registration)
    recoveryRoutes(app, records)
    if (components.wallet) walletRoutes(app, components.wallet, { publicUrl })
    if (demo) demo.addRoutes(app)
  })
}
