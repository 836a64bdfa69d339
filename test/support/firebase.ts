import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { FirebaseServiceAccount } from "express-second-factor/firebase";
import { json, type Provider, type ProviderAnswer, type ProviderRequest, startProvider } from "./provider.js";

const PROJECT = "acme-12ab3";
const GRANTS = "/token";
const MESSAGES = `/v1/projects/${PROJECT}/messages:send`;
const LIFE_SECONDS = 3599;
const FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/** As Firebase writes its refusals. */
export function refusal(status: number, { name, code, message = "", fields = [] }: Refusal): ProviderAnswer {
  const fieldViolations = fields.map((field) => ({ field, description: message }));
  const details = [
    ...(code === undefined ? [] : [{ "@type": FCM, errorCode: code }]),
    ...(fields.length === 0 ? [] : [{ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations }]),
  ];
  return json(status, { error: { code: status, message, status: name, details } });
}

interface Refusal {
  /** Of `google.rpc.Code`. */
  readonly name: string;
  /** Of `FcmError`. */
  readonly code?: string;
  readonly message?: string;
  readonly fields?: readonly string[];
}

/** One of nobody's. */
export function serviceAccount(): FirebaseServiceAccount {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    project_id: PROJECT,
    client_email: `sender@${PROJECT}.iam.gserviceaccount.com`,
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Google's token endpoint and Firebase Cloud Messaging, with one project, on a loopback port. */
export class Firebase {
  /** What each is answered instead: to the first asked, to all of its kind. */
  grantAnswer: (() => ProviderAnswer) | undefined;
  messageAnswer: ((request: ProviderRequest) => ProviderAnswer) | undefined;
  /** Registration tokens of apps that are gone. */
  readonly unregistered = new Set<string>();
  private readonly accepted = new Set<string>();
  private granted = 0;

  private constructor(
    readonly provider: Provider,
    readonly serviceAccount: FirebaseServiceAccount,
  ) {
    provider.answer = (request) => this.answer(request);
  }

  /** The caller closes it. */
  static async start(): Promise<Firebase> {
    const provider = await startProvider();
    return new Firebase(provider, { ...serviceAccount(), token_uri: `${provider.url}${GRANTS}` });
  }

  get endpoint(): string {
    return this.provider.url;
  }

  /** Of the service account. */
  get publicKey(): KeyObject {
    return createPublicKey(this.serviceAccount.private_key);
  }

  /** Requests for access tokens. */
  get grants(): readonly ProviderRequest[] {
    return this.provider.requests.filter(({ path }) => path === GRANTS);
  }

  get messages(): readonly ProviderRequest[] {
    return this.provider.requests.filter(({ path }) => path === MESSAGES);
  }

  /** The access tokens so far are taken no more. */
  revoke(): void {
    this.accepted.clear();
  }

  async close(): Promise<void> {
    await this.provider.close();
  }

  private answer(request: ProviderRequest): ProviderAnswer {
    if (request.path === GRANTS) return this.grantAnswer === undefined ? this.grant() : this.grantAnswer();
    if (request.path !== MESSAGES) return refusal(404, { name: "NOT_FOUND" });
    return this.messageAnswer === undefined ? this.take(request) : this.messageAnswer(request);
  }

  private grant(): ProviderAnswer {
    this.granted += 1;
    const access_token = `ya29.granted-${this.granted}`;
    this.accepted.add(access_token);
    return json(200, { access_token, expires_in: LIFE_SECONDS, token_type: "Bearer" });
  }

  private take({ body, headers }: ProviderRequest): ProviderAnswer {
    const access = headers.authorization?.replace("Bearer ", "") ?? "";
    if (!this.accepted.has(access)) return refusal(401, { name: "UNAUTHENTICATED" });
    const { message } = JSON.parse(body) as { readonly message: { readonly token: string } };
    if (this.unregistered.has(message.token)) return refusal(404, { name: "NOT_FOUND", code: "UNREGISTERED" });
    return json(200, { name: `projects/${PROJECT}/messages/1` });
  }
}
