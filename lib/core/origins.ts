/**
 * Origins of pages that a browser opens, in their order. Those of apps (`capacitor://localhost`, `android:apk-key-hash:…`) are
 * compared with what an app says of itself, and lead nowhere.
 */
export function webOrigins(origins: readonly string[]): string[] {
  return origins.filter((origin) => /^https?:\/\//.test(origin));
}
