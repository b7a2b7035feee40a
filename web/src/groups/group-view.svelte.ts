import type { GroupMemberView, GroupRequestView, GroupRights, PeerApi, Person } from '../../../peer/peer-api.ts'

/** The members of one group, and what the user does with it. A failure stays until the next attempt. */
export class GroupView {
  /** Admins first; null before they were read. */
  members = $state.raw<readonly GroupMemberView[] | null>(null)
  /** Who has asked to be added, and waits. */
  requests = $state.raw<readonly GroupRequestView[]>([])
  isBusy = $state(false)
  failure = $state.raw<unknown>(null)
  /** Members who have a username, by it. */
  readonly byName = $derived(
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a new map each time, never changed
    new Map((this.members ?? []).flatMap(({ person }) => (person.username === null ? [] : [[person.username, person]])))
  )
  readonly #api: PeerApi
  readonly #group: string
  #isReading = false
  #isReadingRequests = false
  #readAgain = false

  /** @param group - its id. */
  constructor(api: PeerApi, group: string) {
    this.#api = api
    this.#group = group
  }

  get accounts(): Set<string> {
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- a new set each time, never changed
    return new Set(this.members?.map(({ person }) => person.accountId))
  }

  /** The member with an account; undefined for one who is not in the group. */
  person(accountId: string): Person | undefined {
    return this.members?.find(({ person }) => person.accountId === accountId)?.person
  }

  /** Reads who is in. Calls while it reads lead to one more look. */
  async read(): Promise<void> {
    this.#readAgain = true
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#readAgain) {
        this.#readAgain = false
        this.members = await this.#api.groups.members(this.#group)
      }
    } catch (error) {
      console.warn(error)
    } finally {
      this.#isReading = false
    }
  }

  /** Reads who asks to be added. Calls while it reads change nothing: the next snapshot looks again. */
  async readRequests(): Promise<void> {
    if (this.#isReadingRequests) return
    this.#isReadingRequests = true
    try {
      this.requests = await this.#api.groups.requests(this.#group)
    } catch (error) {
      console.warn(error)
    } finally {
      this.#isReadingRequests = false
    }
  }

  add(accounts: string[]): Promise<boolean> {
    return this.#change(groups => groups.add(this.#group, accounts))
  }

  remove(account: string): Promise<boolean> {
    return this.#change(groups => groups.remove(this.#group, [account]))
  }

  setRole(account: string, role: 'admin' | 'member'): Promise<boolean> {
    return this.#change(groups => groups.setRole(this.#group, account, role))
  }

  setRights(rights: Partial<GroupRights>): Promise<boolean> {
    return this.#change(groups => groups.setRights(this.#group, rights))
  }

  rename(name: string): Promise<boolean> {
    return this.#change(groups => groups.rename(this.#group, name))
  }

  describe(description: string): Promise<boolean> {
    return this.#change(groups => groups.describe(this.#group, description))
  }

  setPicture(picture: Uint8Array | null): Promise<boolean> {
    return this.#change(groups => groups.setPicture(this.#group, picture))
  }

  mute(isMuted: boolean): Promise<boolean> {
    return this.#change(groups => groups.mute(this.#group, isMuted))
  }

  answerRequest(account: string, isApproved: boolean): Promise<boolean> {
    return this.#change(groups => groups.answerRequest(this.#group, account, isApproved))
  }

  leave(): Promise<boolean> {
    return this.#change(groups => groups.leave(this.#group))
  }

  /** @returns whether it worked. */
  async #change(act: (groups: PeerApi['groups']) => Promise<unknown>): Promise<boolean> {
    if (this.isBusy) return false
    this.isBusy = true
    this.failure = null
    try {
      await act(this.#api.groups)
      await Promise.all([this.read(), this.readRequests()])
      return true
    } catch (error) {
      this.failure = error
      return false
    } finally {
      this.isBusy = false
    }
  }
}
