import { pluralizer } from '../plural.ts'

const plural = pluralizer('en')

/** Chats of many: making one, who is in it, and who may do what. */
export const groups = {
  groups: {
    title: 'Group',
    make: 'New group',
    name: 'Name of the group',
    choose: 'Who is in it',
    chosen: (n: number) => plural(n, { one: '{n} person chosen', other: '{n} people chosen' }),
    leaveOut: (name: string) => `Leave ${name} out`,
    addFound: 'Add',
    findHint: 'People you know are below. Others you find by their whole username.',
    create: 'Create the group',
    creating: 'Creating…',
    edit: 'Edit',
    editTitle: 'Name and description',
    description: 'Description',
    save: 'Save',
    members: 'Members',
    admin: 'Admin',
    since: (when: string, by: string) => `Since ${when}, added by ${by}`,
    addedByYou: 'you',
    made: (when: string) => `Made the group · ${when}`,
    actionsFor: (name: string) => `What to do with ${name}`,
    makeAdmin: 'Make admin',
    takeAdmin: 'Take the admin role',
    remove: 'Remove',
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: (name: string) => `${name} gets nothing that is written later. What came before stays there.`,
    add: 'Add people',
    newHint: 'Who is added later cannot read earlier messages.',
    addHint: 'They cannot read earlier messages.',
    link: 'Invitation link',
    linkHint:
      'Anybody who has this link can join while one of your devices is on. It tells who made it, and not which group.',
    linkCode: 'The link as a code, to be scanned with a camera',
    rights: 'Who may do what',
    membersMayAdd: 'Members may add people',
    membersMayEdit: 'Members may change name and description',
    mention: 'Mention a member',
    leave: 'Leave the group',
    leaveTitle: (name: string) => `Leave ${name}?`,
    leaveText: 'You get no more messages. What is on this device stays.',
    leaveYes: 'Leave',
    out: 'You are not in this group any more.',
    joinTitle: 'Join a group',
    joinText: 'Who made this link sees your name and adds you, as soon as their device is on.',
    join: 'Ask to join',
    joining: 'Asking…',
    notNow: 'Not now'
  }
}
