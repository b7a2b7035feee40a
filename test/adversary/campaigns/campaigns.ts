/** All campaigns by name. What they run loads with them, not with the command line. */
import type { Campaign, CampaignInit, CampaignOutcome } from './campaign.ts'

const DEEPEST = 2_160
/** Rounds of the schedule with the deepest rollback, which is long enough with few. */
const DEEP_ROUNDS = 30
const SHORT_DEPTH = 20
const SCHEDULE_STEPS = 25
const FLAW_STEPS = 12
/** Heap and buffers that a backup or a restore may take, in MiB. */
const MAX_BACKUP_MIB = 64
/** Heap that a million junk entries may cost: the last rejected records, and counters. */
const MAX_JUNK_HEAP_BYTES = 64 * 1024 * 1024

/** Runs what throws at its first failure. */
async function guarded(runs: number, work: () => Promise<CampaignOutcome>): Promise<CampaignOutcome> {
  try {
    return await work()
  } catch (error) {
    const { message, cause } = error as Error
    return { runs, failures: 1, examples: [cause ? `${message}: ${String(cause)}` : message] }
  }
}

async function directoryForks({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runForkCampaign } = await import('./directory-forks.ts')
  return guarded(runs, async () => {
    const deep = await runForkCampaign({ seed, schedules: 1, maxDepth: DEEPEST, rounds: DEEP_ROUNDS })
    const { schedules, ...rest } = await runForkCampaign({ seed, schedules: runs, maxDepth: SHORT_DEPTH, budgetMs })
    // A campaign that never meets what it is about proves nothing.
    const isEmpty = rest.heldRevoked === 0 || deep.deepest < DEEPEST
    const examples = isEmpty ? ['no revoked device was held, or no rollback was as deep as it can be'] : []
    return { runs: schedules + 1, failures: examples.length, examples, ...rest, deepest: deep.deepest }
  })
}

async function followerForks({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runForkSchedule } = await import('./follower-forks.ts')
  const deadline = performance.now() + budgetMs
  const examples: string[] = []
  let done = 0
  for (; done < runs && performance.now() < deadline; done++) {
    const schedule = { seed: seed + done, steps: SCHEDULE_STEPS, maxDepth: SHORT_DEPTH }
    const { told, is } = await runForkSchedule(schedule)
    if (told.join() !== is.join()) examples.push(`the follower of seed ${schedule.seed} told something else`)
  }
  return { runs: done, failures: examples.length, examples: examples.slice(0, 20) }
}

async function followerFlaws({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runFlawSchedule } = await import('./follower-flaws.ts')
  const deadline = performance.now() + budgetMs
  const examples: string[] = []
  let [done, spoilt, named] = [0, 0, 0]
  for (; done < runs && performance.now() < deadline; done++) {
    const schedule = { seed: seed + done, steps: FLAW_STEPS }
    const outcome = await runFlawSchedule(schedule)
    spoilt += outcome.spoilt
    named += outcome.named
    if (outcome.told.join() !== outcome.is.join()) {
      examples.push(`the follower of seed ${schedule.seed} has another chain`)
    }
  }
  return { runs: done, failures: examples.length, examples: examples.slice(0, 20), spoilt, named }
}

async function nameRaces({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runNameRaces } = await import('./name-race.ts')
  const { races, won, ...rest } = await runNameRaces({ seed, races: runs, budgetMs })
  const failures = races - won + rest.stolen
  const examples = failures > 0 ? [`${rest.stolen} names were stolen, ${won} of ${races} claimants hold theirs`] : []
  return { runs: races, failures, examples, won, ...rest }
}

async function junk({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { indexJunk } = await import('./junk.ts')
  return guarded(runs, async () => {
    const { entries, ...rest } = await indexJunk({ seed, entries: runs, budgetMs })
    const isBounded = rest.heapGrowth < MAX_JUNK_HEAP_BYTES
    const examples = isBounded ? [] : [`the heap grew by ${rest.heapGrowth} bytes`]
    return { runs: entries, failures: examples.length, examples, ...rest }
  })
}

async function fuzz({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { watchFuzz } = await import('./fuzz/watched-fuzz.ts')
  const { inputs, failures, slowestMs, ...rest } = await watchFuzz({ seed, inputs: runs, budgetMs })
  return {
    runs: inputs,
    failures: failures.length,
    examples: failures,
    slowestMs: Math.round(slowestMs),
    ...rest
  }
}

async function http({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runHttpFuzz } = await import('./http-fuzz.ts')
  const { requests, failures, ...rest } = await runHttpFuzz({ seed, requests: runs, budgetMs })
  return { runs: requests, failures: failures.length, examples: failures, ...rest }
}

async function forgedAnswers({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { LieField, runForgedAnswers } = await import('./forged-answers.ts')
  const field = await LieField.start()
  try {
    const half = { seed, lies: runs, budgetMs: budgetMs / 2 }
    const two = await runForgedAnswers(field, { ...half, secondSource: true })
    const one = await runForgedAnswers(field, { ...half, seed: seed + 1, secondSource: false })
    const examples = [...two.failures, ...one.failures]
    if (two.shownUnconfirmed > 0) examples.push(`${two.shownUnconfirmed} lies beside an honest node were shown`)
    const { accepted, forgedKeys, shownUnconfirmed, verdicts } = one
    return {
      runs: two.lies + one.lies,
      failures: examples.length,
      examples: examples.slice(0, 20),
      twoSources: { lies: two.lies, accepted: two.accepted, forgedKeys: two.forgedKeys, verdicts: two.verdicts },
      oneSource: { lies: one.lies, accepted, forgedKeys, shownUnconfirmed, verdicts }
    }
  } finally {
    await field.stop()
  }
}

async function lies({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runLiesOverRealNodes } = await import('./peer-lies-real.ts')
  return guarded(runs, () => runLiesOverRealNodes({ seed, runs, budgetMs }))
}

async function establishedLies({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runEstablishedLies } = await import('./established-lies.ts')
  return guarded(runs, async () => {
    const two = await runEstablishedLies({ seed, lies: runs, operators: 2, budgetMs: budgetMs / 2 })
    const one = await runEstablishedLies({ seed: seed + 1, lies: runs, operators: 1, budgetMs: budgetMs / 2 })
    const examples = [...two.failures, ...one.failures]
    const figures = ({ lies, accepted, forgedKeys, shown, held, undeceived }: typeof two) => ({
      lies,
      accepted,
      forgedKeys,
      shown,
      held,
      undeceived
    })
    return {
      runs: two.lies + one.lies,
      failures: examples.length,
      examples: examples.slice(0, 20),
      twoOperators: figures(two),
      oneOperator: figures(one)
    }
  })
}

async function groupMerges({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runGroupHistories } = await import('../../support/groups/group-histories.ts')
  return guarded(runs, async () => ({ ...runGroupHistories({ seed, runs, budgetMs }) }))
}

async function races({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runRaces } = await import('./races.ts')
  return guarded(runs, async () => {
    const { runs: done, told, failures } = await runRaces({ seed, runs, budgetMs })
    return { runs: done, failures: failures.length, examples: failures.slice(0, 20), told }
  })
}

async function callRaces({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runCallRaces } = await import('./call-races.ts')
  return guarded(runs, async () => {
    const { runs: done, calls, failures } = await runCallRaces({ seed, runs, budgetMs })
    return { runs: done, failures: failures.length, examples: failures.slice(0, 20), calls }
  })
}

async function browserLies({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runLiesInBrowser } = await import('./browser-lies.ts')
  return guarded(runs, () => runLiesInBrowser({ seed, runs, budgetMs }))
}

async function strangerFlood({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runStrangerFlood } = await import('./stranger-flood.ts')
  const { MAX_PARKED_STRANGE_BYTES } = await import('../../../peer/receiving/parked-deliveries.ts')
  return guarded(runs, async () => {
    const { forged, ...rest } = await runStrangerFlood({ seed, runs, budgetMs })
    const examples: string[] = []
    if (rest.floodedMs > 2 * rest.quietMs) {
      examples.push(`an honest message took ${rest.floodedMs} ms, ${rest.quietMs} ms without the flood`)
    }
    if (rest.accountsLeft + rest.conversationsLeft > 0)
      examples.push('accounts or conversations of strangers were kept')
    if (rest.storeGrowthBytes > 2 * MAX_PARKED_STRANGE_BYTES)
      examples.push(`the store grew by ${rest.storeGrowthBytes}`)
    return { runs: forged, failures: examples.length, examples, ...rest }
  })
}

async function devices({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runDevicesCampaign } = await import('./devices.ts')
  return guarded(runs, async () => {
    const { sent, examples, ...rest } = await runDevicesCampaign({ seed, messages: runs, budgetMs })
    return { runs: sent, failures: rest.lost + rest.twice + rest.disordered + rest.unreadable, examples, ...rest }
  })
}

async function nodeRaces({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runNodeRaces } = await import('./node-races.ts')
  return guarded(runs, async () => {
    const { runs: done, failures, calls } = await runNodeRaces({ seed, runs, budgetMs })
    return { runs: done, failures: failures.length, examples: failures.slice(0, 20), calls }
  })
}

async function groups({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runGroupsCampaign } = await import('./groups.ts')
  return guarded(runs, async () => {
    const { sent, examples, ...rest } = await runGroupsCampaign({ seed, messages: runs, budgetMs })
    const failures = rest.lost + rest.twice + rest.disordered + rest.unreadable + rest.otherMembers
    return { runs: sent, failures, examples, ...rest }
  })
}

async function wrongClocks({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runWrongClocks } = await import('./wrong-clocks.ts')
  return guarded(runs, async () => {
    const { runs: done, failures, ...rest } = await runWrongClocks({ seed, runs, budgetMs })
    return { runs: done, failures: failures.length, examples: failures.slice(0, 20), ...rest }
  })
}

async function guide({ seed, runs, budgetMs }: CampaignInit): Promise<CampaignOutcome> {
  const { runGuide } = await import('./guide.ts')
  return guarded(runs, () => runGuide({ seed, runs, budgetMs }))
}

async function backup({ seed, runs }: CampaignInit): Promise<CampaignOutcome> {
  const { runBackupCampaign } = await import('./backup.ts')
  return guarded(runs, async () => {
    const { missing, ...rest } = await runBackupCampaign({ seed, mib: runs })
    const examples = [
      ...(missing > 0 ? [`${missing} messages or files did not come back`] : []),
      ...(Math.max(rest.backupMib, rest.restoreMib) > MAX_BACKUP_MIB ? ['it took more memory than it may'] : [])
    ]
    return { runs, failures: examples.length, examples, ...rest }
  })
}

async function ledgerRules(): Promise<CampaignOutcome> {
  const { installSecondLedger, openSecondLedger } = await import('../../support/chain/second-ledger.ts')
  const problem = await installSecondLedger()
  const second = openSecondLedger()
  if (!second) return { runs: 0, failures: 0, examples: [], notRun: problem }
  const { compareLedgers } = await import('./ledger-rules.ts')
  const { cases, failures, ...rest } = await compareLedgers(second)
  return { runs: cases, failures: failures.length, examples: failures, second: second.name, ...rest }
}

async function placement({ seed, runs }: CampaignInit): Promise<CampaignOutcome> {
  const { runPlacement } = await import('./placement.ts')
  const { problems, ...figures } = await runPlacement(seed, runs)
  return { runs: figures.networks.length, failures: problems.length, examples: problems, ...figures }
}

export const CAMPAIGNS: Readonly<Record<string, Campaign>> = {
  'directory-forks': {
    summary: `random histories with rollbacks up to ${SHORT_DEPTH} blocks, and one of ${DEEPEST}: the directory equals the fold of the final chain, no revoked device comes back`,
    unit: 'schedules',
    defaultRuns: 10_000,
    run: directoryForks
  },
  'follower-forks': {
    summary: 'a chain that turns back while a follower reads it: what was told adds up to the chain',
    unit: 'schedules',
    defaultRuns: 10_000,
    run: followerForks
  },
  'follower-flaws': {
    summary:
      'a source whose lists are cut, or miss, repeat or reorder rows now and then: nothing but the chain becomes final',
    unit: 'schedules',
    defaultRuns: 2_000,
    run: followerFlaws
  },
  'name-races': {
    summary: 'a node that sees claims and submits its own first wins no name; hoarded commitments lapse',
    unit: 'races',
    defaultRuns: 10_000,
    run: nameRaces
  },
  placement: {
    summary:
      'networks of 10 to 1,000 nodes: how even the load is, what is lost with nodes, what a message costs on the wires',
    unit: 'nodes of the largest',
    defaultRuns: 1_000,
    run: placement
  },
  junk: {
    summary: 'junk under the label leaves the directory as it was, in bounded memory',
    unit: 'entries',
    defaultRuns: 1_000_000,
    run: junk
  },
  fuzz: {
    summary: 'spoilt input to every parser: no crash, no hang, no second spelling',
    unit: 'inputs',
    defaultRuns: 1_000_000,
    run: fuzz
  },
  http: {
    summary: 'raw bytes on the ports of a real node, upgrades included: it lives, faults nothing, keeps no descriptor',
    unit: 'requests',
    defaultRuns: 1_000_000,
    run: http
  },
  'forged-answers': {
    summary: 'a node lies to volo-verify, beside an honest node and alone: nothing forged is believed',
    unit: 'lies each way',
    defaultRuns: 1_000,
    run: forgedAnswers
  },
  lies: {
    summary:
      'a real node lies to real peers that are connected to it, beside an honest node and alone: no untrue key is sealed to or vouched for',
    unit: 'lies each way',
    defaultRuns: 1_000,
    run: lies
  },
  'established-lies': {
    summary:
      'one of two operators lies about people who are known and on whom both agreed: nothing untrue lasts longer than five minutes; with one operator it is shown as the word of one',
    unit: 'lies each way',
    defaultRuns: 1_000,
    run: establishedLies
  },
  'group-merges': {
    summary:
      'changes of a group by devices that are cut off from each other, thieves among them: whatever the order, all come to what the plain rules say',
    unit: 'histories',
    defaultRuns: 100_000,
    run: groupMerges
  },
  races: {
    summary:
      'all that changes what is known of an account at once, with random waits at each access of nodes and disk: no REVOKE and no later change is lost',
    unit: 'races',
    defaultRuns: 5_000,
    run: races
  },
  'call-races': {
    summary:
      'all that two people do at once, with random waits at each access of the disk: the last call counts, no message is lost, doubled or moved, memory and disk are the same',
    unit: 'races',
    defaultRuns: 500,
    run: callRaces
  },
  'node-races': {
    summary:
      'what a node keeps (registrations, records to publish, bundles, tokens, mailboxes), changed by many at once with random waits at each access of the disk: nothing answered is lost, memory and disk are the same',
    unit: 'races',
    defaultRuns: 500,
    run: nodeRaces
  },
  'browser-lies': {
    summary: 'the same in Chromium: the app of the lying node, one profile and many look-ups in its worker',
    unit: 'lies each way',
    defaultRuns: 1_000,
    run: browserLies
  },
  'stranger-flood': {
    summary:
      'forged first messages of strangers while a known person writes: an honest message takes no more than twice its quiet time, nothing of theirs is kept',
    unit: 'forged Opens',
    defaultRuns: 10_000,
    run: strangerFlood
  },
  devices: {
    summary:
      'two people with five devices each while the network loses, copies and delays, devices restart, join and leave, and clocks are hours apart: each device shows everything once, in order',
    unit: 'messages',
    defaultRuns: 10_000,
    run: devices
  },
  backup: {
    summary:
      'a history with files is backed up to a real node and restored while requests fail at random: all of it comes back, byte for byte, in bounded memory',
    unit: 'MiB of files',
    defaultRuns: 1_024,
    run: backup
  },
  groups: {
    summary:
      'twelve people with one to three devices in a group while the network loses, copies and delays, people and devices come and go, clocks are hours apart and a node is killed: everything once, in order, the same members',
    unit: 'messages',
    defaultRuns: 10_000,
    run: groups
  },
  'wrong-clocks': {
    summary:
      'two people talk while the clocks of devices and nodes jump by minutes to years: once they are right every message is there, once and in order',
    unit: 'conversations',
    defaultRuns: 200,
    run: wrongClocks
  },
  guide: {
    summary:
      'three nodes set up by the operators’ guide, in production mode behind TLS, are rolled, restored and one is replaced while two people write: nothing is lost, nothing fails',
    unit: 'rounds of rolling and restoring',
    defaultRuns: 1,
    run: guide
  },
  'ledger-rules': {
    summary:
      'hand-built transactions and records before two implementations of the ledger rules; the second is installed into .cache/ledger-peers',
    unit: 'cases, always all',
    defaultRuns: 133,
    run: ledgerRules
  }
}
