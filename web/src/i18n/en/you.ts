import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** The own account and this device. */
export const you = {
  you: {
    title: 'You',
    name: 'Your name',
    nameNone: 'No username',
    nameReserving: (username: string) => `In a moment others find you as @${username}.`,
    nameFound: (username: string) => `Others find you as @${username}.`,
    nameTaken: (username: string) =>
      `Somebody else’s claim to @${username} came first on the public record. Your chats go on as before, but people cannot find you by this name.`,
    anotherName: 'Choose another username',
    claim: 'Take this username',
    claiming: 'Handing it in…',
    displayName: 'Name that others see',
    editProfile: 'Edit profile',
    aboutMe: 'About me',
    seenBy: 'Who sees your name, picture and description',
    seenByContacts: 'People I write with',
    seenByEverybody: 'Everybody who knows my username',
    foundByHandle: 'Let people find me by the accounts elsewhere that I show',
    foundByHandleHint:
      'Who knows your name there, such as x:ada, finds your username. The places that run the network can see it, too.',
    saveName: 'Save',
    addPicture: 'Add a picture',
    changePicture: 'Change picture',
    removePicture: 'Remove picture',
    savingPicture: 'Saving the picture…',
    pictureSeen: 'People whom you write to see your picture.',
    pictureUnfit: 'This file cannot be drawn as a picture. Choose another one.',
    cancel: 'Cancel',
    device: 'This device',
    storageSafe: 'Your browser promised to keep what is on this device.',
    storageMayClear: 'Your browser may clear the chats on this device when it needs room.',
    privacy: 'Privacy',
    tellsRead: 'Tell people that I have read their messages',
    tellsTyping: 'Show that I am typing to people I have accepted',
    tellsPresence: 'Show that I am here to people I have accepted',
    privacyHint: 'If you don’t show that you are typing or here, you don’t see it of others.',
    network: 'Network',
    online: 'Connected.',
    connecting: 'Connecting…',
    offline: 'No connection. You can read and write; messages wait here.',
    places: (n: number) =>
      plural(n, {
        one: 'This network runs in {n} place. Volo moves to another one by itself when there are more.',
        other: 'This network runs in {n} places. If one goes away, Volo moves to another by itself.'
      }),
    oneOperator:
      'One operator runs this network. It cannot read your messages or make up devices, but it could hide the newest changes. A second operator would make every check stronger.',
    waiting: (n: number) =>
      plural(n, { one: '{n} message waits here to be sent.', other: '{n} messages wait here to be sent.' }),
    allSent: 'Nothing waits to be sent.',
    catchingUp: 'Fetching what arrived while you were away.',
    connectNow: 'Connect now',
    appearance: 'Appearance',
    system: 'As the system',
    light: 'Light',
    dark: 'Dark',
    language: 'Language',
    languageSystem: 'As the browser',
    keyboard: 'Keyboard',
    showKeys: 'Show the list of keys',
    about: 'About',
    version: (version: string) => `Volo ${version}`,
    aboutText:
      'Messages are encrypted on your device and can be read only on the devices of the people in the conversation. Independent places carry them; none of them can read them.',
    aboutEmulated: (label: string) =>
      `You are on “${label}”. Its public record is emulated for trying out: it behaves like the real one, but nobody outside can check it. Demo sign-in proves nothing about who somebody is.`,
    aboutReal: (label: string) => `Public record: ${label}.`,
    licences: 'Licences of others’ work in Volo',
    aboutWeb:
      'This app comes as a web page from the address you opened. Whoever serves it could serve a changed one; your browser keeps a copy and runs that. A newer version is offered while the app is open, and starts by itself once every tab of it was closed.'
  },

  notifications: {
    title: 'Notifications',
    off: 'Off',
    on: 'On, with name and text',
    hidden: 'On, without name and text',
    hiddenBody: 'New message',
    denied: 'This browser blocks notifications of this address. Allow them in its settings, then look here again.',
    unsupported: 'This browser has no notifications for this page. On an iPhone, add Volo to the Home Screen first.',
    limits:
      'On this device only. They come while Volo is open in a tab or as an installed app. While the browser is closed nothing can tell you; your messages wait and come when you open it. Muted chats and requests stay quiet.'
  }
}
