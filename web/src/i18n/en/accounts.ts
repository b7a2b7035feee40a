/** Web sites and accounts elsewhere that people link. */
export const accounts = {
  accounts: {
    title: 'Linked accounts',
    lead: 'Sign in somewhere else, and people who have your profile can see that the account there is yours. You choose which ones they see.',
    link: (provider: string) => `Link ${provider}`,
    none: 'Nothing is linked.',
    unlink: (what: string) => `Remove ${what}`,
    shown: (what: string) => `Others see ${what}`,
    anAccount: (provider: string) => `An account at ${provider}`,
    siteLinked: 'The site itself says so. Anybody can check.',
    siteNotLinked: 'The site does not say so.',
    siteUnknown: 'The site could not be asked just now.',
    accountSaid: (place: string, when: string) => `${place} saw the sign-in on ${when}. Nobody else can check that.`,
    accountOld: (place: string, when: string) => `${place} saw the sign-in on ${when}. That is long ago.`,
    accountUnlisted: 'Said by a place that is not part of this network. Do not rely on it.',
    cancelled: 'The sign-in was cancelled. Nothing was linked.',
    failed: 'The sign-in did not succeed. Nothing was linked.'
  },
  report: {
    open: 'Report…',
    title: (name: string) => `Report ${name}`,
    lead: (operator: string) =>
      `Your report goes to the operator of ${operator}, who can read what you write and the messages you choose. Nobody else gets it, and the person is not told.`,
    text: 'What is it about?',
    messages: 'Messages to hand over',
    noMessages: 'No messages of this person are on this device.',
    send: 'Send report',
    sending: 'Sending…',
    sent: 'The operator has your report.',
    blockToo: 'You can also block this person: what they send is dropped.'
  },
  leave: {
    title: 'Leaving',
    lead: 'You can give your username back, or delete your account.',
    releaseName: 'Give back username…',
    releaseTitle: (username: string) => `Give back @${username}?`,
    releaseText: 'Anybody may take it from then on, and you may choose another one. Your chats go on.',
    releaseForGood: 'Give it back',
    deleteAccount: 'Delete account…',
    deleteTitle: 'Delete your account?',
    deleteText:
      'Your picture, files and backups are removed from the network, your username is given back, and all your devices are removed, this one last. What other people received stays with them. What is on this device stays until you clear the data of this site.',
    deleteForGood: 'Delete for good',
    stays:
      'The public record keeps what it has, for good, and nobody can remove it: that there was an account, the public keys of its devices, when each came and went, and a scrambled form of your username.',
    working: 'Working…'
  }
}
