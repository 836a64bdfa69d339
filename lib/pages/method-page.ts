import type { MethodType } from "../core/nouns.js";
import type { MethodChoice, UnusableFactor } from "../engine/choices.js";
import type { FactorView, SettingsView } from "../engine/views.js";
import type { Html, HtmlValue } from "./html.js";
import type { Icon } from "./icons.js";
import type { MethodWords } from "./messages.js";
import type { PageContext, PageProblem } from "./views.js";

/** What a method is told with everything it draws. */
export interface Drawing<Words> {
  readonly context: PageContext;
  readonly type: MethodType;
  readonly words: Words;
}

/** Asks for a proof. */
export interface ChallengeForm<Words> extends Drawing<Words> {
  /** The visitor's factors of this kind. */
  readonly choice: MethodChoice;
  /**
   * What the form of the proof sends beside it, to be put into it as it is: the checkbox that asks not to be challenged on this
   * browser again, which operation is confirmed, and for which stage of the login the form is shown.
   */
  readonly trust: Html | undefined;
  /** What every other form and button of the challenge sends: the same but for the checkbox. `operation` where one is confirmed. */
  readonly fields: Readonly<Record<string, string>>;
  /** What was wrong with the proof before. */
  readonly problem: PageProblem | undefined;
}

/** Begins an enrollment: on the settings page, or where the policy demands a factor. */
export interface AddForm<Words> extends Drawing<Words> {
  readonly place: "settings" | "set-up";
  /** The account has no factor yet. */
  readonly isFirst: boolean;
  /** Its button stands out. On the set-up page that is the first way alone. */
  readonly isMain: boolean;
  /** A field for the password where it must be given again; its id is made of the method's type. */
  readonly password: Html | undefined;
  /**
   * Where the factor is the account's first: what becomes of its other logins, to be put as it is into the form of the proof, if that
   * is this one. Undefined otherwise.
   */
  readonly others: Html | undefined;
  /** A name that somebody typed before they were asked for a proof. */
  readonly name: string | undefined;
}

/** An enrollment that is open: what is shown of it, and a form for its proof. */
export interface EnrollmentForm<Words> extends Drawing<Words> {
  readonly factorId: string;
  /** What the method showed when it was begun; undefined once it was shown for five minutes, until it is begun again. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  /** Where the factor is the account's first: what becomes of its other logins, to be put into the form of the proof as it is. */
  readonly others: Html | undefined;
  /** Hidden fields, as they are, for a form that begins it once more: whose place it takes, and where it leads back to. */
  readonly again?: Html | undefined;
  readonly problem: PageProblem | undefined;
}

/** Begins an enrollment that puts a new factor in the place of this one, on the page for a new phone. */
export interface ReplaceForm<Words> extends Drawing<Words> {
  readonly factor: FactorView;
  /** Of the factors on the page, from 0: for ids. */
  readonly index: number;
  /** Hidden fields, to be put into the form as they are: whose place it takes, and where it leads back to. */
  readonly fields: Html;
}

/** One factor on the settings page. */
export interface FactorRow<Words> extends Drawing<Words> {
  readonly factor: FactorView;
  /** Of the factors on the page, from 0: for ids. */
  readonly index: number;
  /** Something that its own actions began was refused: they are shown open. */
  readonly isRefused: boolean;
  /** No factor is replaced now, so what does that is not offered: something was reported, or the account recovered a short while ago. */
  readonly isKept: boolean;
}

/** Factors that cannot be used at this site. */
export interface UnusablePart<Words> extends Drawing<Words> {
  /** All that the account has of this kind. */
  readonly factors: readonly UnusableFactor[];
}

/** A method's own part of the settings page, below the factors. */
export interface SettingsPart<Words> extends Drawing<Words> {
  readonly settings: SettingsView;
  /** What the methods add to the settings in JSON. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly accountName: string;
  /** The kind of proof that this login gave last; undefined where it gave none. */
  readonly lastProof: MethodType | undefined;
}

/** Codes that were just made, shown once. */
export interface CodesView<Words> extends Drawing<Words> {
  readonly codes: readonly string[];
  /** A local path: where the visitor goes once they saved them. */
  readonly continueTo: string;
  /** A form that is posted here says that they are saved, and goes on there. Until then the page may be loaded again, for five minutes. */
  readonly savedAction: string;
  /** What became of the owner's other logins, in a sentence. */
  readonly others: string | undefined;
  /** They came with the first factor (or: they replace an older set). */
  readonly isFirst: boolean;
}

/** A title, and what stands below it. */
export interface PagePart {
  readonly title: string;
  readonly body: Html;
}

/** What a method is told for a page that is its own as a whole. */
export interface OwnPage {
  readonly context: PageContext;
  readonly accountName: string;
  readonly problem: PageProblem | undefined;
}

/** What one method has to show. Whatever it leaves out is shown as for any method, or not at all. */
export interface MethodPage<Words extends MethodWords = MethodWords> {
  readonly icon: Icon;
  readonly words: Words;
  challenge(form: ChallengeForm<Words>): Html;
  /** Undefined: factors of this kind are not set up on the pages. */
  add?(form: AddForm<Words>): PagePart;
  /** It is not offered where the policy demands a factor: what is set up there could not confirm the next sign-in. Default: it is. */
  readonly onlyInSettings?: true;
  /** Below a factor's name on the page for a new phone. Default: it is only removed there, once another is set up. */
  replace?(form: ReplaceForm<Words>): Html;
  /** In a card of its own, with a link that leaves it; `links` stand beside that one. */
  enrollment?(form: EnrollmentForm<Words>): PagePart & { readonly links?: HtmlValue };
  row?(row: FactorRow<Words>): {
    /** What stands for the hint, in the owner's words. */
    readonly hint?: string | undefined;
    readonly actions?: HtmlValue;
    /** What removing it means, instead of the common sentence. */
    readonly removeLead?: string;
  };
  /** Why factors of this kind cannot be used at this site, in a sentence. Required of a method with `obstacle`. */
  unusable?(part: UnusablePart<Words>): string;
  section?(part: SettingsPart<Words>): Html | undefined;
  /** What the owner should see first on the settings page. */
  notice?(part: SettingsPart<Words>): Html | undefined;
  /** A whole page. Required of a method that makes codes (`mint`). */
  codes?(view: CodesView<Words>): PagePart;
}

/** It is offered where the policy demands a factor. */
export function isForSetUp({ add, onlyInSettings }: Pick<MethodPage, "add" | "onlyInSettings">): boolean {
  return add !== undefined && onlyInSettings !== true;
}

/** The pages of the configured methods, in the order in which they are offered for setting up. */
export type MethodPages = ReadonlyMap<MethodType, MethodPage>;

/** A method's page, and what everything it draws is told. */
export interface Drawn {
  readonly page: MethodPage;
  readonly drawing: Drawing<MethodWords>;
}

/** The method's page and its words in force; undefined where it is not configured (any more). */
export function drawnBy(context: PageContext, type: MethodType): Drawn | undefined {
  const page = context.pages.get(type);
  return page && { page, drawing: { context, type, words: context.messages.methods[type] ?? page.words } };
}

export function allDrawn(context: PageContext): Drawn[] {
  return [...context.pages.keys()].flatMap((type) => drawnBy(context, type) ?? []);
}
