import type { groups as English } from '../en/groups.ts'
import { pluralizer } from '../plural.ts'

const plural = pluralizer('de')

/** Chats of many: making one, who is in it, and who may do what. */
export const groups: typeof English = {
  groups: {
    title: 'Gruppe',
    make: 'Neue Gruppe',
    name: 'Name der Gruppe',
    choose: 'Wer dabei ist',
    chosen: n => plural(n, { one: '{n} Person gewählt', other: '{n} Personen gewählt' }),
    leaveOut: name => `${name} weglassen`,
    addFound: 'Hinzufügen',
    findHint: 'Unten stehen Personen, die du kennst. Andere findest du über ihren ganzen Benutzernamen.',
    create: 'Gruppe anlegen',
    creating: 'Wird angelegt …',
    edit: 'Bearbeiten',
    editTitle: 'Name und Beschreibung',
    description: 'Beschreibung',
    save: 'Speichern',
    members: 'Mitglieder',
    admin: 'Admin',
    since: (when, by) => `Seit ${when}, aufgenommen von ${by}`,
    addedByYou: 'dir',
    made: when => `Hat die Gruppe angelegt · ${when}`,
    actionsFor: name => `Was mit ${name} geschehen soll`,
    makeAdmin: 'Als Admin einsetzen',
    takeAdmin: 'Als Admin absetzen',
    remove: 'Entfernen',
    removeTitle: name => `${name} entfernen?`,
    removeText: name => `${name} bekommt nichts, was später geschrieben wird. Was vorher kam, bleibt dort.`,
    add: 'Personen hinzufügen',
    newHint: 'Wer später dazukommt, kann frühere Nachrichten nicht lesen.',
    addHint: 'Frühere Nachrichten sind für neue Mitglieder nicht zu lesen.',
    link: 'Einladungslink',
    linkHint:
      'Wer diesen Link hat, kann beitreten, solange eines deiner Geräte an ist. Er verrät, wer ihn gemacht hat, aber nicht, welche Gruppe es ist.',
    linkCode: 'Der Link als Code, zum Scannen mit einer Kamera',
    newLink: 'Neuen Link machen; dieser gilt dann nicht mehr',
    approveEach: 'Ich antworte jeder Person, die fragt',
    askingCount: n => plural(n, { one: '{n} Person bittet um Aufnahme', other: '{n} Personen bitten um Aufnahme' }),
    asking: 'Bitten um Aufnahme',
    approve: 'Aufnehmen',
    deny: 'Nicht aufnehmen',
    approveWho: name => `${name} aufnehmen`,
    denyWho: name => `${name} nicht aufnehmen`,
    rights: 'Wer was darf',
    membersMayAdd: 'Mitglieder dürfen Personen hinzufügen',
    membersMayEdit: 'Mitglieder dürfen Name und Beschreibung ändern',
    mention: 'Ein Mitglied erwähnen',
    leave: 'Gruppe verlassen',
    leaveTitle: name => `${name} verlassen?`,
    leaveText: 'Du bekommst keine Nachrichten mehr. Was auf diesem Gerät ist, bleibt.',
    leaveYes: 'Verlassen',
    out: 'Du bist nicht mehr in dieser Gruppe.',
    joinTitle: 'Einer Gruppe beitreten',
    joinText: 'Wer diesen Link gemacht hat, sieht deinen Namen und kann dich aufnehmen, sobald das Gerät dort an ist.',
    join: 'Um Aufnahme bitten',
    joining: 'Wird angefragt …',
    notNow: 'Nicht jetzt'
  }
}
