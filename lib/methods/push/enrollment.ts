import { enrollLines } from "../../core/device-lines.js";
import { type Outcome, type Problem, success } from "../../core/errors.js";
import type { FactorId } from "../../core/nouns.js";
import { iso } from "../../core/time.js";
import type { EnrolledFactor } from "../../engine/activation.js";
import { SEAL_LIFE } from "../../engine/brief-seals.js";
import { stageBinding } from "../../engine/challenges.js";
import {
  addClaimed,
  earlyFactorProblem,
  newFactorProblem,
  placeOf,
  refusedFactor,
} from "../../engine/claimed-enrollment.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import type { LoginContext } from "../../engine/login-context.js";
import { FRESH, stepUp } from "../../policy/access.js";
import { devicesOf } from "./device-lookup.js";
import { deviceIdOf, isDeviceKey, isSignedBy } from "./keys.js";
import type { Push } from "./method.js";
import { amrOf, type PushState } from "./state.js";
import { type Reach, withReach } from "./subscriptions.js";

const PURPOSE = "push/enroll";

/** What a device signs to show that it holds its key. */
export interface DeviceChallenge {
  readonly challenge: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** A device that somebody is about to add. */
export interface NewDevice {
  /** SPKI in base64url. */
  readonly publicKey: string;
  readonly challenge: string;
  readonly signature: string;
  readonly label?: string | undefined;
  /** What it is called where its owner gives no name. */
  readonly name: string;
  /** Absent: it asks by itself. */
  readonly reach?: Reach;
  /** Its own word that its key cannot leave its hardware. */
  readonly isHardware: boolean;
  /** The device whose place it takes. */
  readonly replaces?: FactorId | undefined;
  /** With the account's first factor the other logins stay, and are asked for it. */
  readonly keepsOthers: boolean;
}

function hasDevice({ record }: LoginContext, publicKey: string): boolean {
  return devicesOf(record.account).some(({ state }) => state.publicKey === publicKey);
}

/** Setting devices up: a challenge, then the answer to it, once. */
export class DeviceEnrollment {
  constructor(
    private readonly method: Push,
    private readonly dependencies: EngineDependencies,
  ) {}

  /** `replaces`: the device whose place the new one is to take. */
  async options(login: LoginContext, replaces?: FactorId): Promise<Outcome<DeviceChallenge>> {
    const { challenges, clock } = this.dependencies;
    const now = clock();
    // A login from before this middleware was installed has no record to tie a challenge to.
    const place = placeOf(this.method.type, replaces);
    const problem = login.session === undefined ? stepUp(FRESH) : newFactorProblem(login, now, place);
    if (problem !== undefined) return { ok: false, problem };
    const challenge = await challenges.begin(stageBinding(login, PURPOSE));
    return success({ challenge, expiresAt: iso(now + SEAL_LIFE) });
  }

  /** Puts a new device in force. Ends every other login and all trusted devices. */
  async finish(login: LoginContext, device: NewDevice): Promise<Outcome<EnrolledFactor>> {
    const { keepsOthers, label, name, publicKey, replaces } = device;
    const place = placeOf(this.method.type, replaces);
    const refusal =
      earlyFactorProblem(login, this.dependencies.clock(), place) ??
      (device.reach && (await this.method.reachProblem(device.reach)));
    if (refusal !== undefined) return { ok: false, problem: refusal };
    if (!(await this.isProved(login, device))) return refusedFactor(this.dependencies, login, this.method);
    const state = await this.stateOf(login, device);
    return addClaimed(this.dependencies, login, {
      id: state.deviceId,
      type: this.method.type,
      credentialId: state.deviceId,
      label,
      name,
      state,
      amr: amrOf(state),
      keepsOthers,
      replaces,
      problem: (current, now): Problem | undefined =>
        newFactorProblem(current, now, place) ?? (hasDevice(current, publicKey) ? { code: "conflict" } : undefined),
    });
  }

  /** The key is one, and it signed the challenge, which is used up whatever comes of it. */
  private async isProved(login: LoginContext, { challenge, publicKey, signature }: NewDevice): Promise<boolean> {
    const redeemed = await this.dependencies.challenges.redeem(challenge, [stageBinding(login, PURPOSE)]);
    return redeemed !== undefined && isDeviceKey(publicKey) && isSignedBy(publicKey, enrollLines(challenge), signature);
  }

  private async stateOf({ userId }: LoginContext, { isHardware, publicKey, reach }: NewDevice): Promise<PushState> {
    const state: PushState = { deviceId: deviceIdOf(publicKey), publicKey, ...(isHardware && { isHardware }) };
    return reach === undefined ? state : withReach(state, reach, { userId, keys: this.dependencies.keys });
  }
}
