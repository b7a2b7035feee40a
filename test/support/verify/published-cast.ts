import { STOLEN_DEVICE } from '../../adversary/campaigns/peer-lies.ts'
import { Person, type Ledger } from './published-world.ts'

/** People to lie about, and those whose records the lies are spliced from. */
export interface PublishedCast {
  victims: Person[]
  other: Person
  liar: Person
}

/** Publishes victims with a name, two live devices and a stolen one that the last record revokes, and the others. */
export async function publishCast(ledger: Ledger, victims: number): Promise<PublishedCast> {
  const people: Person[] = []
  for (let i = 0; i < victims; i++) {
    const person = await Person.create(ledger, `victim${i}`, STOLEN_DEVICE)
    await person.claimName()
    await person.publish(await person.revokeRecord(STOLEN_DEVICE))
    people.push(person)
  }
  const other = await Person.create(ledger, 'bystander', 2)
  await other.claimName()
  const liar = await Person.create(ledger, 'mallory')
  await ledger.forge(2)
  return { victims: people, other, liar }
}
