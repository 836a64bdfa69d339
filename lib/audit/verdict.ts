/** Where something stands. */
export interface AuditPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/**
 * `gap`: records are missing in between. `cut`: at the beginning or the end, or all of a writer's. `swapped`: they are there, and not in
 * their order. `changed`: the text is not what was written. `forged`: it was not written by that writer, or with another key.
 * `repeated`: it has been there before. `unknown-key`: the key that it needs is not among those given.
 */
export type AuditDamage = "gap" | "cut" | "swapped" | "changed" | "forged" | "repeated" | "unknown-key";

/** Something that was done to a file. */
export interface AuditProblem extends AuditPlace {
  readonly damage: AuditDamage;
  /** What it is, in a sentence. It holds nothing of an event. */
  readonly text: string;
}

/** Something that happens without anybody doing it: a process was killed, or found the disk full. */
export interface AuditNote extends AuditPlace {
  readonly text: string;
}

/** The records of one writing process in one file. */
export interface AuditChain {
  readonly writer: string;
  readonly file: string;
  /** How many of its records are as they were written, from its first. */
  readonly records: number;
  /** Events that there was no room for. */
  readonly lost: number;
  /** When the first and the last of them were written. */
  readonly from: string;
  readonly until: string;
  /** It was closed, and is whole. One that was not is still being written, or its process ended otherwise. */
  readonly isClosed: boolean;
  /** How far it has come, to give as an anchor later. */
  readonly anchor: string;
}

/** What `verifyAudit` answers. */
export interface AuditVerdict {
  /** Nothing was done to what is there, and all that is there by the anchors. */
  readonly isComplete: boolean;
  /** By their places, one of each chain at most: what comes after it in that chain is not looked at. */
  readonly problems: readonly AuditProblem[];
  readonly notes: readonly AuditNote[];
  readonly chains: readonly AuditChain[];
}
