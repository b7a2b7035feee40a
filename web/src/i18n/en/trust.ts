/** A person, their public record, their devices and the safety number. */
export const trust = {
  person: {
    title: 'About this person',
    notFound: 'This person is not known on this device, and could not be found on the network.',
    publicRecord: 'Public record',
    verified: 'Verified',
    details: 'Details',
    checkAgain: 'Check again',
    checking: 'Checking…',
    checkFailed: 'Couldn’t check just now. What you see is from the last time.',
    technical: 'Technical details'
  },

  record: {
    pending: 'Being added to the public record',
    pendingText: 'This takes a little while; you can already chat.',
    recorded: 'On the public record',
    recordedSince: (when: string) => `On the public record since ${when}.`,
    recordedText: 'Nobody, including us, can change it unnoticed.',
    settling: 'It is still settling: very recent entries can move.',
    emulated: 'This is a practice network. Its public record is emulated and proves nothing outside of it.',
    notFound: 'Not found on the public record',
    notFoundText:
      'We could not find this person’s device on the public record yet. You can chat; don’t share secrets until it appears.',
    undoneText: (when: string) =>
      `It stood on the public record, but its newest entries were undone (${when}). It is being added again by itself. The devices are the same as before; you need not do anything.`,
    mismatch: 'Contradiction',
    mismatchText: (name: string) =>
      `Two independent places give different answers about ${name}. Messages are paused, and nothing was sent with a wrong key. Right after a change this passes within a minute; if it stays, ask ${name} in another way.`,
    changed: 'Changed: please check',
    alertKey: (name: string) =>
      `Entries about the devices of ${name} stood on the public record and are gone from it. Messages now go to the devices that are left. Ask ${name} in another way whether these are right.`,
    alertRecovered: (name: string) =>
      `${name} replaced all devices with a recovery code. Compare your safety number again before you share secrets.`,
    alertLostName: (name: string, username: string) =>
      `@${username} does not lead to ${name} any more. Your messages still go to the same devices as before.`,
    alertNewHolder: (name: string, username: string) =>
      `@${username} led to somebody else before. Make sure who ${name} is before you share secrets.`,
    alertWithheld: (name: string) =>
      `The only place that answers leaves out entries about ${name} that were there before. What was seen stays in force here; it settles by itself once a second place can be asked.`,
    letStand: 'I have checked, go on',
    compare: 'Compare safety number',
    removed: 'Device removed',
    removedText: (name: string) =>
      `${name} removed every device. Messages are paused until there is another one; what you wrote before stays here.`,
    removedOwn: 'Every device of your account was removed. What is on this device stays on it.',
    alertLabel: 'Something changed',
    checkedTwo: (ago: string) => `Checked on this device; two operators agree · ${ago}`,
    checkedOne: 'Checked on this device. A second operator would make it stronger.',
    checkedLast: (ago: string) => `Checked on this device; two operators last agreed ${ago}`,
    checkedNone: (ago: string) => `Not checked on this device yet · ${ago}`
  },

  publicRecord: {
    title: 'Public record',
    open: 'Open the public record',
    intro:
      'A public list, kept by nobody in particular, says which devices belong to whom. Whoever gives you a wrong device is found out here.',
    who: 'Who',
    names: (username: string) => `Known as @${username}`,
    noName: 'Without a username',
    devices: 'Devices',
    checked: 'How this was checked',
    checkedHere: 'This device went through every entry itself, from the first one on.',
    agreeTwo: 'Two operators gave the same entries.',
    agreeOne: 'A second operator would make it stronger: one alone could leave out the newest entries.',
    ago: (ago: string) => `Last checked ${ago}.`,
    safety: 'Safety number',
    safetyText: (name: string) => `Compare it with ${name} to know that nobody stands between you.`,
    verifiedOn: (when: string) => `Compared on ${when}.`,
    failed: 'Couldn’t open the public record. Your chats are not affected.'
  },

  safetyCheck: {
    title: 'Safety number',
    intro: (name: string) =>
      `Meet ${name}, or call, and compare these digits with those on the other screen. If all are the same, nobody stands between you.`,
    groupIntro:
      'Meet people of this group and compare these digits, or scan each other’s codes. If they are the same, everybody sees the same people and devices.',
    people: 'Numbers of the people',
    code: {
      title: 'Compare with a code',
      intro: 'One of you shows this code, the other one scans it. Volo compares every device in this chat.',
      qr: 'QR code to compare',
      tooMany: 'There are too many devices here for a code. Compare the digits.',
      same: (name: string) => `You and ${name} see the same`,
      sameText: (name: string) => `Every device in this chat is the same on both sides. ${name} is verified.`,
      sameOwn: 'Your two devices see the same',
      sameOwnText: 'Every device in this chat is the same on both.',
      differs: (name: string) => `You and ${name} do not see the same`,
      differsOwn: 'Your two devices do not see the same',
      notIn: 'Who shows this code is not in this chat on your device',
      differsText:
        'Don’t share secrets here for now. Make sure that both apps are up to date and connected, then compare again.',
      here: (name: string, device: string) => `Only you see a device of ${name}: ${device}`,
      there: (name: string, device: string) => `Only the other side sees a device of ${name}: ${device}`,
      you: 'you',
      somebody: 'somebody who is not in this chat on your device',
      elsewhere: 'This is the code of another chat. Open the same chat on both sides.',
      done: 'Done',
      scanner: {
        otherCode: 'This QR code is not one for comparing.',
        noPicture: 'No code can be read in this picture. Use a sharp one, or compare the digits.',
        cameraForbidden: 'This browser does not let Volo use the camera. Allow it for this address, or use a picture.',
        cameraMissing: 'There is no camera that can be used. Use a picture of the code, or compare the digits.',
        cameraFailed: 'The camera does not work just now. Another program may use it. Use a picture.'
      }
    },
    digits: 'Sixty digits in twelve groups',
    match: 'They are the same',
    mismatch: 'They differ',
    verified: (name: string) => `You compared this number. ${name} is verified.`,
    verifiedHint:
      'New devices need no new comparison. If something does not fit any more, sending pauses and you are told.',
    unverify: 'Not verified any more',
    differ: (name: string) =>
      `Don’t share secrets here for now. First make sure that you both look at the same conversation and that both apps are up to date, then compare again. If the digits still differ, ${name} may not be who you think.`,
    again: 'Compare again',
    failed: 'Couldn’t work out the safety number.'
  }
}
