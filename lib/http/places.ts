import { localPath } from "./return-to.js";

/** The places that everything the package links to, redirects to and names is made of, as the browser sees them. */
export interface Places {
  /** In front of every other: `""` at the root of the site, else without a trailing slash. */
  readonly root: string;
  /** What a proxy has taken off the paths of requests. */
  readonly stripped: string;
  /** Where the routes live. */
  readonly base: string;
  /** Where a login without a destination leads, and "back". */
  readonly home: string;
  /** The application's own login page. */
  readonly login: string;
}

/** A place of the application's, from its options. */
export interface Place {
  /** A path with what may follow it, resolved by {@link localPath}. */
  readonly path: string;
  /** It was written with its origin: nothing comes in front of it. */
  readonly isWhole: boolean;
}

export interface PlaceOptions {
  readonly path: string;
  readonly publicPath: string;
  readonly home: Place | undefined;
  readonly login: Place;
}

/** Only resolved against, and never seen. */
const ANY_SITE = "https://site.invalid";

/**
 * A path of this site and of no other, whatever the words are: under a mount path that is a pattern (`/:tenant`) they are the
 * client's own. A browser reads a backslash as a slash, two slashes as another host, and does not read tabs and line breaks at all.
 */
export function sitePath(words: string): string {
  const plain = `/${words.replaceAll(/[\t\n\r]/g, "")}`.replaceAll(/[/\\]+/g, "/");
  const path = localPath(plain.replaceAll(/[?#]/g, encodeURIComponent), ANY_SITE) ?? "/";
  return path.replace(/\/$/, "");
}

/** A path of the application's own, as its options may name one. */
export function isOwnPlace(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/") && localPath(value, ANY_SITE) !== undefined;
}

/** As {@link publicPlace}, of what was checked by {@link isOwnPlace}. */
export function ownPlace(root: string, value: string): string {
  return publicPlace(root, { isWhole: false, path: localPath(value, ANY_SITE) ?? "/" });
}

/** Behind a proxy that keeps the mount path, or puts it there itself, the public path ends with it. */
function rootOf(publicPath: string, mountPath: string): string {
  const endsWithIt = publicPath.toLowerCase().endsWith(mountPath.toLowerCase());
  return endsWithIt ? publicPath : sitePath(publicPath + mountPath);
}

/** A path of the application's own, as the browser sees it; one that has the root in front already stays as it is. */
function publicPlace(root: string, { isWhole, path }: Place): string {
  const isBelow = path === root || ["/", "?", "#"].some((next) => path.startsWith(root + next));
  if (isWhole || (root !== "" && isBelow)) return path;
  return path === "/" && root !== "" ? root : root + path;
}

/** Answers the places of a request by the path it is mounted at (`req.baseUrl`). */
export function placesFor({ home, login, path, publicPath }: PlaceOptions): (mountPath: string) => Places {
  const placesAt = (mountPath: string): Places => {
    const mounted = sitePath(mountPath);
    const root = rootOf(publicPath, mounted);
    return {
      root,
      stripped: root.slice(0, root.length - mounted.length),
      base: sitePath(root + path),
      home: home === undefined ? root || "/" : publicPlace(root, home),
      login: publicPlace(root, login),
    };
  };
  const unmounted = placesAt("");
  return (mountPath) => (mountPath === "" ? unmounted : placesAt(mountPath));
}
