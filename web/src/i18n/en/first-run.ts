/** From the first visit to the first chat. */
export const firstRun = {
  welcome: {
    promise: ['Private messages.', 'No company in the middle.'],
    explain: 'Only you and the people you write to can read your messages. Your account lives on your own devices.',
    continueWith: (provider: string) => `Continue with ${provider}`,
    noneHere: (provider: string) => `${provider}: this browser has none that can be used here.`,
    continueDemo: 'Continue with demo sign-in',
    asksOnly: 'We ask them only for your name and picture; they never see your messages.',
    demo: 'Demo sign-in is for trying Volo. Anybody can use any name there, so it proves nothing about who somebody is.',
    looking: 'Looking for ways to sign in…',
    none: 'No way to sign in is set up here. Ask whoever runs this address.',
    opening: 'Opening the sign-in page…',
    unreachable: 'Couldn’t reach the network. Nothing is lost: you have not signed in yet.',
    failed: 'Signing in did not work. Nothing was shared. You can try again.',
    cancelled: 'You stopped signing in. Nothing was shared.',
    finishing: 'Finishing the sign-in…',
    cleared:
      'This browser deleted what Volo kept here: your account’s key and your chats. The account goes on on your other devices. “I already use Volo” adds this browser to it again.'
  },

  name: {
    title: 'Your name here',
    lead: 'This is how people find you and what they see. It takes a few seconds.',
    username: 'Username',
    usernameHint: '3 to 24 letters a–z, digits or _',
    displayName: 'Name shown to people you write to',
    displayNameHint: 'Any name you like, such as Ada or Ada L.',
    deviceName: 'Name of this device',
    deviceNameHint: 'Only so that you can tell your devices apart.',
    checking: 'Checking…',
    available: (username: string) => `@${username} is free`,
    taken: (username: string) => `@${username} is taken. Try another one.`,
    invalid: 'Use 3 to 24 letters a–z, digits or _',
    unknown: 'Couldn’t check this name now. You can choose it all the same; if somebody had it first, Volo tells you.',
    forEver:
      'Your device’s public key and a scrambled form of your username go on the public record and stay there for ever. Your name in clear and your messages never do.',
    keyStays:
      'Your account’s key stays in this browser. A private window forgets it when it closes, and so does clearing the data of this site.',
    start: 'Start',
    starting: 'Starting…',
    needName: 'Choose a free username first.',
    needDisplayName: 'Enter the name that people see.',
    more: 'More',
    another: 'Use another sign-in'
  }
}
