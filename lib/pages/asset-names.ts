import { pageScript, pageScriptHash, styleSheet, styleSheetHash } from "./embedded.js";

/** A file that the pages load. */
export interface Asset {
  readonly name: string;
  readonly kind: "css" | "js";
  readonly text: string;
  /** Of the text, in hexadecimal digits. */
  readonly hash: string;
}

export const STYLE_SHEET: Asset = { name: "style", kind: "css", text: styleSheet, hash: styleSheetHash };
export const PAGE_SCRIPT: Asset = { name: "page", kind: "js", text: pageScript, hash: pageScriptHash };

/** Below `path`: an address that no other content ever has. */
export function assetPath({ hash, kind, name }: Asset): string {
  return `/assets/${name}.${hash}.${kind}`;
}
